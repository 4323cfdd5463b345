/**
 * Preloaded by tools/test-nodes.ts on Node 22, whose JavaScript has no `using` yet: the build compiles it
 * away, and so must whoever runs tests and sources there as they stand. Nothing else is touched.
 */
import { readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import type * as Esbuild from "esbuild";

const require = createRequire(import.meta.url);

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
    const text = readFileSync(new URL(url), "utf8");
    if (!/^\s*(?:await )?using \w+ =/m.test(text)) return nextLoad(url, context);
    const { transformSync } = require("esbuild") as typeof Esbuild;
    const { code } = transformSync(text, {
      loader: "ts",
      target: "node22",
      sourcefile: url,
      sourcemap: "inline",
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    });
    return { format: "module", source: code, shortCircuit: true };
  },
});
