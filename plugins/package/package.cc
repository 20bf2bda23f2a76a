// The plugin "package": Debian packages from files. See README.md.
#include "plugins/package/install_action.h"
#include "plugins/package/installed_action.h"
#include "plugins/package/remove_action.h"

using reprise::package::InstallAction;
using reprise::package::InstalledAction;
using reprise::package::RemoveAction;
REPRISE_PLUGIN("package", "1.0.0", "Debian packages from files", InstallAction, RemoveAction, InstalledAction)
