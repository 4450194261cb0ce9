/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-answer-reader.h"

G_BEGIN_DECLS

/* Anthropic's Messages: a stream of events that ends with message_stop, and not without. */
ConfabAnswerReader *confab_anthropic_reader_new (ConfabDeltaFunc on_text, gpointer user_data);

G_END_DECLS
