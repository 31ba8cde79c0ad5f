from openpyxl.styles import PatternFill


def header_fill():
    return PatternFill(start_color="#4472C4", end_color="#4472C4", fill_type="solid")
