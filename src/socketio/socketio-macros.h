/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "socketio-version.h"

/* Everything is hidden by default; what carries one of the macros below is the library's interface,
 * and says since when it is there, or since when it is not to be used any more. */
#define _SOCKETIO_EXTERN __attribute__ ((visibility ("default"))) extern

/**
 * SOCKETIO_VERSION_0_1:
 *
 * Version 0.1, for %SOCKETIO_VERSION_MIN_REQUIRED and %SOCKETIO_VERSION_MAX_ALLOWED.
 */
#define SOCKETIO_VERSION_0_1 (G_ENCODE_VERSION (0, 1))

#define _SOCKETIO_VERSION_CURRENT                                                                  \
  (G_ENCODE_VERSION (SOCKETIO_MAJOR_VERSION, SOCKETIO_MINOR_VERSION))

/**
 * SOCKETIO_VERSION_MIN_REQUIRED:
 *
 * To be defined before the headers are included: the oldest version that a program wants to work
 * with. The compiler then warns of what was deprecated in that version or before. Default: the
 * current one.
 */
#ifndef SOCKETIO_VERSION_MIN_REQUIRED
#define SOCKETIO_VERSION_MIN_REQUIRED (_SOCKETIO_VERSION_CURRENT)
#endif

/**
 * SOCKETIO_VERSION_MAX_ALLOWED:
 *
 * To be defined before the headers are included: the newest version whose functions a program wants
 * to use. The compiler then warns of what is newer. Default: the current one.
 */
#ifndef SOCKETIO_VERSION_MAX_ALLOWED
#define SOCKETIO_VERSION_MAX_ALLOWED (_SOCKETIO_VERSION_CURRENT)
#endif

#if SOCKETIO_VERSION_MAX_ALLOWED < SOCKETIO_VERSION_MIN_REQUIRED
#error "SOCKETIO_VERSION_MAX_ALLOWED must not be older than SOCKETIO_VERSION_MIN_REQUIRED"
#endif

#define SOCKETIO_AVAILABLE_IN_ALL _SOCKETIO_EXTERN

/* A release that adds or deprecates something adds such a block, with its own number. */
/**
 * SOCKETIO_DEPRECATED_IN_0_1_FOR: (skip)
 * @f: what to use instead
 *
 * Marks a function.
 */
#if SOCKETIO_VERSION_MAX_ALLOWED < SOCKETIO_VERSION_0_1
#define SOCKETIO_AVAILABLE_IN_0_1 G_UNAVAILABLE (0, 1) _SOCKETIO_EXTERN
#else
#define SOCKETIO_AVAILABLE_IN_0_1 _SOCKETIO_EXTERN
#endif
#if SOCKETIO_VERSION_MIN_REQUIRED >= SOCKETIO_VERSION_0_1
#define SOCKETIO_DEPRECATED_IN_0_1 G_DEPRECATED _SOCKETIO_EXTERN
#define SOCKETIO_DEPRECATED_IN_0_1_FOR(f) G_DEPRECATED_FOR (f) _SOCKETIO_EXTERN
#else
#define SOCKETIO_DEPRECATED_IN_0_1 _SOCKETIO_EXTERN
#define SOCKETIO_DEPRECATED_IN_0_1_FOR(f) _SOCKETIO_EXTERN
#endif

G_BEGIN_DECLS

SOCKETIO_AVAILABLE_IN_ALL gboolean socketio_check_version (guint major, guint minor, guint micro);

G_END_DECLS
