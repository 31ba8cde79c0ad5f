"""What runs beside a generated pipeline: it watches, records and reads, and leaves the pipeline's files untouched."""
