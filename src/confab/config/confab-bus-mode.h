/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Which bus to be on. */
typedef enum
{
  CONFAB_BUS_AUTO, /* the session bus, if there is one */
  CONFAB_BUS_SESSION,
  CONFAB_BUS_SYSTEM,
  CONFAB_BUS_NONE,
} ConfabBusMode;
