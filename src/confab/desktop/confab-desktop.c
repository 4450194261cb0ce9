/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "confab-desktop.h"

#include "confab-inhibitor.h"
#include "confab-launcher.h"
#include "confab-notifier.h"

struct _ConfabDesktop
{
  ConfabOpener *opener;
  ConfabLauncher *launcher;
  ConfabNotifier *notifier;
  ConfabInhibitor *inhibitor;
};

ConfabDesktop *
confab_desktop_new (ConfabService *service, ConfabAccess *access)
{
  ConfabDesktop *self = g_new0 (ConfabDesktop, 1);

  self->opener = confab_opener_new (service, access);
  self->launcher = confab_launcher_new (service, self->opener);
  self->notifier = confab_notifier_new (service, self->opener);
  self->inhibitor = confab_inhibitor_new (service);

  return self;
}

void
confab_desktop_free (ConfabDesktop *self)
{
  confab_desktop_set_connection (self, NULL, NULL);
  g_clear_object (&self->inhibitor);
  g_clear_object (&self->notifier);
  g_clear_object (&self->launcher);
  g_clear_pointer (&self->opener, confab_opener_free);
  g_free (self);
}

void
confab_desktop_apply (ConfabDesktop *self, const ConfabSettings *settings)
{
  confab_notifier_set_enabled (self->notifier, settings->notifications,
                               settings->notification_text);
  confab_inhibitor_set_enabled (self->inhibitor, settings->inhibit_suspend);
}

/**
 * confab_desktop_set_connection:
 * @connection: (nullable): to a session bus, before our name is taken there; %NULL if it is lost
 *
 * Returns: whether everything is there for the desktop to call
 */
gboolean
confab_desktop_set_connection (ConfabDesktop *self, GDBusConnection *connection, GError **error)
{
  confab_launcher_unexport (self->launcher);
  confab_opener_set_connection (self->opener, connection);
  confab_notifier_set_connection (self->notifier, connection);
  confab_inhibitor_set_connection (self->inhibitor, connection);

  return connection == NULL || confab_launcher_export (self->launcher, connection, error);
}
