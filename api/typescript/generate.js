// Writes `src/schema.ts`: the part of the contract that is for citizens, from `openapi.json` as the server gives it.
//
// Problems are left out of the operations, because all of them have the one shape, which stays.

import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const contract = JSON.parse(await readFile("openapi.json", "utf8"));

/** Routes that ask for no proof at all and are not for apps. */
const ELSEWHERE = /^\/(v1\/(staff|token)|livez|readyz)/;

const isForCitizens = (path, { security = [{}] }) =>
  !ELSEWHERE.test(path) && security.some((one) => Object.keys(one).length === 0 || "citizen" in one);

const paths = {};
for (const [path, item] of Object.entries(contract.paths)) {
  const kept = Object.entries(item).filter(([, operation]) => isForCitizens(path, operation));
  for (const [, operation] of kept) {
    operation.responses = Object.fromEntries(Object.entries(operation.responses).filter(([status]) => status < 400));
  }
  if (kept.length > 0) paths[path] = Object.fromEntries(kept);
}

/** Names of what is spoken of in a part of the document, and in what that speaks of. */
function named(part, known = new Set()) {
  for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    if (known.has(name)) continue;
    known.add(name);
    named(contract.components.schemas[name], known);
  }
  return known;
}

const used = named([paths, { $ref: "#/components/schemas/Problem" }]);
const schemas = Object.fromEntries(Object.entries(contract.components.schemas).filter(([name]) => used.has(name)));
const head = "// Written by `npm run generate` from /openapi.json; do not edit.\n\n";
await writeFile("src/schema.ts", head + astToString(await openapiTS({ ...contract, paths, components: { schemas } })));
