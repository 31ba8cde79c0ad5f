#ifndef CPNG_H
#define CPNG_H

#include <stddef.h>
#include <stdint.h>

// A thin layer over libpng. Its errors leave by longjmp, which must not cross Swift frames: every jump starts and
// ends inside CPNG.c, and what the caller gets is a code and a message.

#define CPNG_MESSAGE_LENGTH 256

typedef enum {
    CPNG_OK = 0,
    // The bytes are not a PNG, or break off, or are damaged; the message says where libpng stopped.
    CPNG_CORRUPT = 1,
    // Larger than the caller allows. Nothing was allocated for its pixels.
    CPNG_TOO_LARGE = 2,
    CPNG_NO_MEMORY = 3,
    // The caller passed an image that has no PNG form.
    CPNG_BAD_ARGUMENT = 4,
} cpng_status;

typedef struct {
    uint32_t max_width;
    uint32_t max_height;
    uint64_t max_pixels;
} cpng_limits;

typedef struct {
    uint32_t width;
    uint32_t height;
    // As stored in the file.
    uint8_t bit_depth;
    // PNG colour type: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA.
    uint8_t color_type;
    // Of the decoded pixels: 1 or 3.
    uint8_t channels;
    // Rows from the top, channels interleaved, 8 bits; the caller passes it to cpng_free. NULL unless decoded.
    uint8_t *pixels;
    size_t pixel_bytes;
    // How many warnings libpng gave, and the first of them.
    uint32_t warnings;
    char warning[CPNG_MESSAGE_LENGTH];
    char message[CPNG_MESSAGE_LENGTH];
} cpng_image;

// Reads the header alone: width, height, bit_depth, color_type, channels.
cpng_status cpng_read_header(const uint8_t *data, size_t length, cpng_limits limits, cpng_image *image);

// Decodes to 8-bit grey or RGB: 16 bits are scaled, 1 to 4 bits widened, palettes resolved, alpha dropped.
cpng_status cpng_read(const uint8_t *data, size_t length, cpng_limits limits, cpng_image *image);

// Encodes 8-bit grey (channels 1) or RGB (3). The same pixels and level give the same bytes. On success *data is to be
// passed to cpng_free.
cpng_status cpng_write(
    const uint8_t *pixels, uint32_t width, uint32_t height, uint8_t channels, int level, uint8_t **data, size_t *length,
    char message[CPNG_MESSAGE_LENGTH]);

void cpng_free(uint8_t *memory);

#endif
