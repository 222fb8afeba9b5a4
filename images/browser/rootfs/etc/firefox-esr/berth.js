// Defaults for a browser inside a container; people may change them.

// The container is the sandbox's outer wall, and user namespaces are shut inside it: do not warn about that.
pref("security.sandbox.warn_unprivileged_namespaces", false);
// Half of the network can be missing on purpose; do not go looking for it.
pref("network.captive-portal-service.enabled", false);
pref("network.connectivity-service.enabled", false);
pref("browser.region.update.enabled", false);
pref("extensions.getAddons.cache.enabled", false);
pref("browser.safebrowsing.downloads.remote.enabled", false);
pref("datareporting.policy.dataSubmissionEnabled", false);
pref("app.normandy.enabled", false);
pref("browser.aboutwelcome.enabled", false);
pref("browser.newtabpage.activity-stream.default.sites", "");
pref("browser.newtabpage.activity-stream.feeds.topsites", false);
// A remote screen: every frame saved is bandwidth.
pref("general.smoothScroll", false);
pref("toolkit.cosmeticAnimations.enabled", false);
pref("ui.prefersReducedMotion", 1);
// One desktop among many on this machine.
pref("dom.ipc.processCount", 2);
pref("browser.sessionstore.resume_from_crash", true);
