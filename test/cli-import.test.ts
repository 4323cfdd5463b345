import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { millrace, runToEnd } from "./support/command-process.ts";
import { TempProject } from "./support/temp-project.ts";
import { textOf } from "./support/text-of.ts";

const few = ["--port", "0", "--workers", "2"];

describe("millrace serve --import", () => {
  const files = {
    // A loader as users have them: it registers hooks, and knows what Node does not.
    "loader.mjs": `import { register } from "node:module";
      register("./hooks.mjs", import.meta.url);`,
    "hooks.mjs": `export async function load(url, context, next) {
        if (!url.endsWith(".words")) return next(url, context);
        return { format: "module", shortCircuit: true, source: "export default 'from a loader'" };
      }`,
    "greeting.words": "not JavaScript",
    "app.ts": `import { app } from "millrace";
      import greeting from "./greeting.words";
      export default app()
        .get("/worker", () => greeting)
        .get("/edge", { placement: "edge" }, () => greeting);`,
  };

  test("lets workers and the edge load what a loader knows", async () => {
    await using project = await TempProject.create(files);
    const args = ["serve", "app.ts", "--import", "./loader.mjs", ...few];
    await using server = millrace(args, { cwd: project.folder });
    const url = await server.listening();
    assert.equal(await textOf(url, "/worker"), "from a loader");
    assert.equal(await textOf(url, "/edge"), "from a loader");
  });

  test("finds a package in the working directory, though it exports `import` alone", async () => {
    const packaged = `{"name":"words-loader","exports":{"import":"./loader.mjs"}}`;
    await using project = await TempProject.create({
      ...files,
      "node_modules/words-loader/package.json": packaged,
      "node_modules/words-loader/loader.mjs": files["loader.mjs"],
      "node_modules/words-loader/hooks.mjs": files["hooks.mjs"],
    });
    const args = ["routes", "app.ts", "--import", "words-loader"];
    const { code, stdout, stderr } = await runToEnd(millrace(args, { cwd: project.folder }));
    assert.equal(code, 0, stderr);
    assert.match(stdout, /GET +\/worker +thread/);
  });

  test("says what can't be imported", async () => {
    await using project = await TempProject.create(files);
    for (const [spec, message] of [
      ["./nowhere.mjs", /^millrace: Cannot import \.\/nowhere\.mjs: Cannot find module .*\n$/],
      ["loader.mjs", /^millrace: Cannot import loader\.mjs: .*\n.* write \.\/loader\.mjs\n$/],
    ] as const) {
      const args = ["serve", "app.ts", "--import", spec];
      const { code, stderr } = await runToEnd(millrace(args, { cwd: project.folder }));
      assert.equal(code, 1);
      assert.match(stderr, message);
    }
  });
});
