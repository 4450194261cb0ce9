/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n.h>

#include "ctl.h"

CtlExit
ctl_token (Ctl *self, char **args)
{
  CtlExit status = CTL_EXIT_OK;
  const char *method = "GetToken";
  g_autoptr (GVariant) reply = NULL;
  const char *token;

  if (args[0] != NULL)
    {
      if (!g_str_equal (args[0], "rotate"))
        return ctl_fail (CTL_EXIT_USAGE, _ ("“token” knows only “rotate”, not “%s”"), args[0]);
      method = "RotateToken";
    }
  reply = ctl_call (self, CTL_ROOT, CTL_MANAGER, method, NULL, "(s)", &status);
  if (reply == NULL)
    return status;

  g_variant_get (reply, "(&s)", &token);
  if (self->json)
    ctl_print_json (g_variant_new_parsed ("{'token': <%s>}", token));
  else
    g_print ("%s\n", token);

  return CTL_EXIT_OK;
}
