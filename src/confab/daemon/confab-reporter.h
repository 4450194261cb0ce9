/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "confab-service.h"
#include "confab-supervisor.h"

G_BEGIN_DECLS

#define CONFAB_TYPE_REPORTER (confab_reporter_get_type ())

/* ConfabReporter: tells the supervisor in one line what the service is doing. */
G_DECLARE_FINAL_TYPE (ConfabReporter, confab_reporter, CONFAB, REPORTER, GObject)

/* @supervisor must outlive it */
ConfabReporter *confab_reporter_new (ConfabService *service, ConfabSupervisor *supervisor);

G_END_DECLS
