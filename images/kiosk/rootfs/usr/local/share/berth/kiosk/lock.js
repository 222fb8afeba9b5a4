// The kiosk's lock. Firefox runs it at every start, before any window, with its own rights (and skips this first line).
/* global ChromeUtils, Services, lockPref */

// Everything opens in the one tab there is.
lockPref("browser.link.open_newwindow", 1);
lockPref("browser.link.open_newwindow.restriction", 0);
lockPref("browser.tabs.opentabfor.middleclick", false);
lockPref("dom.allow_scripts_to_close_windows", false);
lockPref("dom.disable_open_during_load", true);
lockPref("browser.tabs.warnOnClose", false);
// Leaving the page asks nothing, full screen explains nothing, typing searches nothing.
lockPref("dom.disable_beforeunload", true);
lockPref("full-screen-api.warning.timeout", 0);
lockPref("accessibility.typeaheadfind", false);
lockPref("accessibility.typeaheadfind.manual", false);
lockPref("accessibility.browsewithcaret_shortcut.enabled", false);
lockPref("general.autoScroll", false);
lockPref("ui.key.menuAccessKeyFocuses", false);
lockPref("browser.gesture.swipe.left", "");
lockPref("browser.gesture.swipe.right", "");
lockPref("browser.sessionstore.resume_from_crash", false);
lockPref("browser.tabs.crashReporting.sendReport", false);
lockPref("reader.parse-on-load.enabled", false);
lockPref("media.videocontrols.picture-in-picture.enabled", false);
lockPref("browser.translations.enable", false);
lockPref("layout.spellcheckDefault", 0);
lockPref("signon.rememberSignons", false);
// Other programs, devices and questions about them.
lockPref("network.protocol-handler.external-default", false);
lockPref("network.protocol-handler.warn-external-default", false);
for (const scheme of ["mailto", "news", "nntp", "snews", "tel", "ms-windows-store"]) {
  lockPref(`network.protocol-handler.external.${scheme}`, false);
}
for (const device of ["camera", "desktop-notification", "geo", "microphone", "xr"]) {
  lockPref(`permissions.default.${device}`, 2);
}
lockPref("media.getdisplaymedia.enabled", false);
lockPref("print.enabled", false);
lockPref("pdfjs.enableScripting", false);
lockPref("devtools.policy.disabled", true);
lockPref("view_source.editor.external", false);

// What pages need of the browser's own windows-in-a-window: lists, dates and colours of forms, hints.
const PAGES_OWN_POPUPS = new Set(["ContentSelectDropdown", "PopupAutoComplete", "DateTimePickerPanel", "DateTimePickerPanelPopup"]);
const EDITING = new Set(["a", "c", "v", "x", "y", "z"]);
const MOVING = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "Backspace", "Delete", "Insert", "Enter"]);
const COMMANDS = new Set(["Alt", "ContextMenu", "Meta", "BrowserBack", "BrowserFavorites", "BrowserForward", "BrowserHome", "BrowserSearch"]);
const RETRY_MS = 10_000;

// Whether a key is writing, moving or editing: everything else is a command to the browser.
function isForThePage(event) {
  if (/^F\d+$/.test(event.key) || COMMANDS.has(event.key)) return false;
  if (event.getModifierState("AltGraph")) return !event.ctrlKey;
  if (event.altKey || event.metaKey) return false;
  if (!event.ctrlKey || ["Control", "Shift"].includes(event.key)) return true;
  const letter = event.key.toLowerCase();
  return MOVING.has(event.key) || (EDITING.has(letter) && (!event.shiftKey || letter === "z"));
}

function forbid(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function forbidPopup(event) {
  const popup = event.target;
  if (popup.localName === "tooltip" || PAGES_OWN_POPUPS.has(popup.id) || PAGES_OWN_POPUPS.has(popup.parentNode?.id)) return;
  if (popup.closest?.("#ContentSelectDropdown")) return;
  forbid(event);
}

// A page that cannot be reached is asked for again: nobody may be there to press a button.
function retry(window) {
  window.setInterval(() => {
    const browser = window.gBrowser.selectedBrowser;
    if (browser.documentURI?.spec.startsWith("about:neterror")) browser.reload();
  }, RETRY_MS);
}

function lock(window) {
  if (window.document.documentElement.getAttribute("windowtype") !== "navigator:browser") {
    // Help, downloads, bookmarks: windows of the browser's own. Questions of a page are no windows.
    if (window.location.href.startsWith("chrome://browser/")) window.close();
    return;
  }
  const browsers = [...Services.wm.getEnumerator("navigator:browser")];
  if (browsers.length > 1) {
    window.close();
    return;
  }
  for (const key of window.document.querySelectorAll("key")) key.setAttribute("disabled", "true");
  window.gBrowser.tabContainer.addEventListener("TabOpen", (event) => {
    window.setTimeout(() => window.gBrowser.removeTab(event.target, { animate: false }), 0);
  });
  retry(window);
}

Services.obs.addObserver((window) => {
  for (const kind of ["keydown", "keypress"]) {
    window.addEventListener(kind, (event) => isForThePage(event) || forbid(event), { capture: true });
  }
  window.addEventListener("popupshowing", forbidPopup, { capture: true });
  window.addEventListener("contextmenu", forbid, { capture: true });
  window.addEventListener("load", () => lock(window), { once: true });
}, "domwindowopened");

// Nothing is saved: a download ends where it begins.
Services.obs.addObserver(async () => {
  const { Downloads } = ChromeUtils.importESModule("resource://gre/modules/Downloads.sys.mjs");
  const list = await Downloads.getList(Downloads.ALL);
  await list.addView({
    async onDownloadAdded(download) {
      await download.finalize(true).catch(() => {});
      await list.remove(download);
    },
  });
}, "browser-delayed-startup-finished");
