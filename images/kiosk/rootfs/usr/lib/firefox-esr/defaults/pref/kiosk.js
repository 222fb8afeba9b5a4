// Has Firefox read its lock (kiosk.cfg) at every start.
pref("general.config.filename", "kiosk.cfg");
pref("general.config.obscure_value", 0);
pref("general.config.sandbox_enabled", false);
