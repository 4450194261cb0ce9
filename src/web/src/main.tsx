// SPDX-License-Identifier: GPL-3.0-or-later
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App";
import { chooseLanguage } from "./i18n";
import "./style.css";

document.documentElement.lang = await chooseLanguage(navigator.languages);
createRoot(document.getElementById("app")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
