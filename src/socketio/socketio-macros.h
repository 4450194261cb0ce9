/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Everything is hidden by default; what carries this is the library's interface. */
#define SOCKETIO_API __attribute__ ((visibility ("default"))) extern
