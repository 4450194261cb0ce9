/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-answer-reader.h"

G_BEGIN_DECLS

/* OpenAI's Responses: a stream of events that ends with the one that tells how it went. */
ConfabAnswerReader *
confab_openai_responses_reader_new (ConfabDeltaFunc on_text, gpointer user_data);

G_END_DECLS
