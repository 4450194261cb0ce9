/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-answer-reader.h"

G_BEGIN_DECLS

/* Chat Completions: a stream of events as well as one whole JSON object. A stream may end with
 * "[DONE]", or, once a finish reason was seen, without. */
ConfabAnswerReader *confab_openai_reader_new (ConfabDeltaFunc on_text, gpointer user_data);

G_END_DECLS
