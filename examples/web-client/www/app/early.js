// Loads the library and connects to the machine that the address names while the browser still fetches the page's own
// scripts.

import { warmUp } from "../lib/worker-link.js";
import { able } from "./able.js";
import { asked, isForeign, target } from "./asked.js";

if (able) {
    const record = asked(new URLSearchParams(location.search));
    warmUp(record && !record.demo && !isForeign(record) ? target(record) : undefined);
}
