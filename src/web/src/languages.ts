// SPDX-License-Identifier: GPL-3.0-or-later
import hljs from "highlight.js/lib/common";

export default hljs;
