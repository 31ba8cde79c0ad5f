#ifndef LLMBENCH_CCURL_H
#define LLMBENCH_CCURL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

// Swift cannot call variadic C functions; these give curl_easy_setopt and curl_easy_getinfo their types.

/// Receives `size * count` bytes; returning another number ends the transfer.
typedef size_t (*llmbench_curl_receiver)(char *bytes, size_t size, size_t count, void *context);

CURLcode llmbench_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode llmbench_curl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode llmbench_curl_set_headers(CURL *handle, struct curl_slist *headers);
/// Posts a copy of `length` bytes.
CURLcode llmbench_curl_set_body(CURL *handle, const void *bytes, size_t length);
CURLcode llmbench_curl_set_body_receiver(CURL *handle, llmbench_curl_receiver receiver, void *context);
CURLcode llmbench_curl_set_header_receiver(CURL *handle, llmbench_curl_receiver receiver, void *context);
/// A buffer of CURL_ERROR_SIZE bytes that outlives the transfer.
CURLcode llmbench_curl_set_error_buffer(CURL *handle, char *buffer);
/// The result of a finished transfer; false while there is none.
bool llmbench_curl_finished(CURLM *multi, CURLcode *result);

#endif
