#include "CPNG.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    cpng_image *image;
    char *message;
    const uint8_t *input;
    size_t input_left;
    uint8_t *output;
    size_t output_length;
    size_t output_capacity;
    int out_of_memory;
} cpng_context;

static void copy_message(char *to, const char *from) {
    strncpy(to, from, CPNG_MESSAGE_LENGTH - 1);
    to[CPNG_MESSAGE_LENGTH - 1] = 0;
}

static void on_error(png_structp png, png_const_charp text) {
    cpng_context *context = png_get_error_ptr(png);
    copy_message(context->message, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    cpng_context *context = png_get_error_ptr(png);
    if (context->image == NULL) return;
    if (context->image->warnings++ == 0) copy_message(context->image->warning, text);
}

static void read_bytes(png_structp png, png_bytep to, size_t count) {
    cpng_context *context = png_get_io_ptr(png);
    if (count > context->input_left) png_error(png, "the file breaks off");
    memcpy(to, context->input, count);
    context->input += count;
    context->input_left -= count;
}

static void write_bytes(png_structp png, png_bytep from, size_t count) {
    cpng_context *context = png_get_io_ptr(png);
    if (count > context->output_capacity - context->output_length) {
        size_t capacity = context->output_capacity * 2 + count;
        uint8_t *grown = realloc(context->output, capacity);
        if (grown == NULL) {
            context->out_of_memory = 1;
            png_error(png, "out of memory");
        }
        context->output = grown;
        context->output_capacity = capacity;
    }
    memcpy(context->output + context->output_length, from, count);
    context->output_length += count;
}

static void flush_bytes(png_structp png) { (void)png; }

// The pixels are allocated only after the header has passed the limits.
static cpng_status check_limits(cpng_limits limits, cpng_image *image) {
    uint64_t pixels = (uint64_t)image->width * image->height;
    if (image->width <= limits.max_width && image->height <= limits.max_height && pixels <= limits.max_pixels)
        return CPNG_OK;
    copy_message(image->message, "larger than allowed");
    return CPNG_TOO_LARGE;
}

static void read_pixels(png_structp png, png_infop info, cpng_image *image) {
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t row_bytes = png_get_rowbytes(png, info);
    if (row_bytes != (size_t)image->width * image->channels) png_error(png, "unexpected row length");
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t row = 0; row < image->height; row++)
            png_read_row(png, image->pixels + row * row_bytes, NULL);
    png_read_end(png, info);
}

static cpng_status read_png(
    const uint8_t *data, size_t length, cpng_limits limits, cpng_image *image, int with_pixels
) {
    memset(image, 0, sizeof *image);
    if (length < 8 || png_sig_cmp(data, 0, 8) != 0) {
        copy_message(image->message, length == 0 ? "the file is empty" : "not a PNG signature");
        return CPNG_CORRUPT;
    }
    cpng_context context = {.image = image, .message = image->message, .input = data, .input_left = length};
    // Assigned before setjmp and not after: these keep their values across the jump.
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &context, on_error, on_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_read_struct(&png, NULL, NULL);
        copy_message(image->message, "out of memory");
        return CPNG_NO_MEMORY;
    }
    volatile cpng_status status = CPNG_CORRUPT;
    if (setjmp(png_jmpbuf(png)) == 0) {
        png_set_read_fn(png, &context, read_bytes);
        // Dimensions are checked below, so that "too large" can be told from "corrupt".
        png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
        png_set_chunk_cache_max(png, 64);
        png_set_chunk_malloc_max(png, 1 << 20);
        png_read_info(png, info);
        image->width = png_get_image_width(png, info);
        image->height = png_get_image_height(png, info);
        image->bit_depth = png_get_bit_depth(png, info);
        image->color_type = png_get_color_type(png, info);
        image->channels = (image->color_type & PNG_COLOR_MASK_COLOR) ? 3 : 1;
        status = check_limits(limits, image);
        if (status == CPNG_OK && with_pixels) {
            status = CPNG_CORRUPT;
            image->pixel_bytes = (size_t)image->width * image->height * image->channels;
            image->pixels = calloc(image->pixel_bytes, 1);
            if (image->pixels == NULL) {
                copy_message(image->message, "out of memory");
                status = CPNG_NO_MEMORY;
            } else {
                read_pixels(png, info, image);
                status = CPNG_OK;
            }
        }
    }
    png_destroy_read_struct(&png, &info, NULL);
    if (status != CPNG_OK && image->pixels != NULL) {
        free(image->pixels);
        image->pixels = NULL;
    }
    return status;
}

cpng_status cpng_read_header(const uint8_t *data, size_t length, cpng_limits limits, cpng_image *image) {
    return read_png(data, length, limits, image, 0);
}

cpng_status cpng_read(const uint8_t *data, size_t length, cpng_limits limits, cpng_image *image) {
    return read_png(data, length, limits, image, 1);
}

// Apart from cpng_write, so that the context is no local of the function that jumps are made to.
static cpng_status write_png(
    cpng_context *context, const uint8_t *pixels, uint32_t width, uint32_t height, uint8_t channels, int level
) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, context, on_error, on_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_write_struct(&png, NULL);
        copy_message(context->message, "out of memory");
        return CPNG_NO_MEMORY;
    }
    volatile cpng_status status = CPNG_BAD_ARGUMENT;
    if (setjmp(png_jmpbuf(png)) == 0) {
        png_set_write_fn(png, context, write_bytes, flush_bytes);
        png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
        png_set_compression_level(png, level);
        png_set_IHDR(
            png, info, width, height, 8, channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
            PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_write_info(png, info);
        for (uint32_t row = 0; row < height; row++)
            png_write_row(png, pixels + (size_t)row * width * channels);
        png_write_end(png, info);
        status = CPNG_OK;
    }
    png_destroy_write_struct(&png, &info);
    return context->out_of_memory ? CPNG_NO_MEMORY : status;
}

cpng_status cpng_write(
    const uint8_t *pixels, uint32_t width, uint32_t height, uint8_t channels, int level, uint8_t **data, size_t *length,
    char message[CPNG_MESSAGE_LENGTH]
) {
    *data = NULL;
    *length = 0;
    message[0] = 0;
    if (width == 0 || height == 0 || (channels != 1 && channels != 3) || level < 0 || level > 9) {
        copy_message(message, "an image has at least one pixel, one or three channels, and a level from 0 to 9");
        return CPNG_BAD_ARGUMENT;
    }
    cpng_context context = {.message = message};
    cpng_status status = write_png(&context, pixels, width, height, channels, level);
    if (status != CPNG_OK) {
        free(context.output);
        return status;
    }
    *data = context.output;
    *length = context.output_length;
    return CPNG_OK;
}

void cpng_free(uint8_t *memory) { free(memory); }
