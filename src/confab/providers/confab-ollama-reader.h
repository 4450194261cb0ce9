/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-answer-reader.h"

G_BEGIN_DECLS

/* Ollama's chat: lines of JSON, of which the last, and no other, says that it is done. */
ConfabAnswerReader *confab_ollama_reader_new (ConfabDeltaFunc on_text, gpointer user_data);

G_END_DECLS
