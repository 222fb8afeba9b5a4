// A page without an origin (path mode, sandboxed) may not touch storage or cookies, and JupyterLab asks for both before
// it does anything. It gets storage that lasts as long as the page; what must last longer is on the server anyway.
"use strict";
(() => {
  try {
    void window.localStorage;
    return;
  } catch { /* no origin */ }
  const define = (object, name, value) => Object.defineProperty(object, name, { configurable: true, value });
  const memory = () => {
    const items = new Map();
    return {
      getItem: (key) => items.get(String(key)) ?? null,
      setItem: (key, value) => void items.set(String(key), String(value)),
      removeItem: (key) => void items.delete(String(key)),
      clear: () => items.clear(),
      key: (index) => [...items.keys()][index] ?? null,
      get length() { return items.size; },
    };
  };
  define(window, "localStorage", memory());
  define(window, "sessionStorage", memory());
  define(window, "indexedDB", undefined);
  Object.defineProperty(document, "cookie", { configurable: true, get: () => "", set: () => {} });
})();
