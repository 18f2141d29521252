/** Writes the files of a folder into one ZIP file as the site does: `node make_zip.mjs <folder> <file>`. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Zip } from "../../web/lib/zip.js";

const [folder, target] = process.argv.slice(2);
const zip = new Zip();
for (const name of readdirSync(folder).toSorted()) {
  await zip.add(name, new Blob([readFileSync(join(folder, name))]), new Date(2026, 2, 4, 5, 6, 8));
}
writeFileSync(target, Buffer.from(await zip.finish().arrayBuffer()));
