/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "confab-bus-mode.h"

G_BEGIN_DECLS

#define CONFAB_DEFAULT_PORT 7420

/* ConfabOptions: what the command line says, checked. */
typedef struct
{
  guint16 port;        /* 0: any free one */
  gboolean port_asked; /* whether the user named it; else the settings do */
  GInetAddress *bind;  /* NULL: 127.0.0.1 and ::1 */
  char *unix_path;     /* NULL: none */
  gboolean unix_asked; /* whether the user named it, so that failing is an error */
  char *data_dir;
  gboolean in_memory; /* of conversations nothing is written to @data_dir */
  gboolean dev;
  gboolean realtime;
  char **allow_origins;    /* normalized; never NULL */
  char **allow_hosts;      /* the same */
  char *config;            /* the file of settings; NULL: dconf */
  char *provider;          /* "auto", a type, or a name of the settings */
  gboolean provider_asked; /* whether the user named it, or @base_url did */
  char *base_url;          /* NULL: the provider's own way to find it */
  char *model;             /* NULL: the provider's default */
  ConfabBusMode bus;
  gboolean replace; /* take the place of the Confab on that bus */
  gboolean verbose;
  gboolean version; /* nothing but the version is asked for */
} ConfabOptions;

ConfabOptions *confab_options_parse (char **argv, GError **error);
void confab_options_free (ConfabOptions *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfabOptions, confab_options_free)

G_END_DECLS
