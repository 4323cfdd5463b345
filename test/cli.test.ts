import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createNetServer, type AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "node:http";
import { millrace, runToEnd, type CommandProcess } from "./support/command-process.ts";
import { textOf } from "./support/text-of.ts";
import { TempProject } from "./support/temp-project.ts";

// The command line, as a process: what it prints, what it answers, how it ends.

const starter = "examples/starter/app.ts";
const fixture = "test/fixtures/app.ts";
const slow = "test/fixtures/slow-app.ts";
const few = ["--port", "0", "--workers", "2"];

describe("millrace serve", () => {
  test("prints version, application and address, and serves", async () => {
    await using server = millrace(["serve", starter, ...few]);
    const url = await server.listening();
    assert.match(
      server.stdout,
      new RegExp(
        `^Millrace \\d+\\.\\d+\\.\\d+ · Node ${process.version}\n` +
          "examples/starter/app\\.ts · 6 routes · 2 worker threads\n" +
          "Listening on http://localhost:\\d+\n$",
      ),
    );
    assert.equal(await textOf(url, "/api/hello?name=Ada"), `{"message":"Hello, Ada!"}`);
    assert.equal(server.stderr, "");
  });

  test("listens where PORT and HOST say, unless an option says otherwise", async () => {
    const env = { PORT: "0", HOST: "127.0.0.1" };
    await using server = millrace(["serve", fixture, "--workers", "1"], { env });
    assert.match(await server.listening(), /^http:\/\/127\.0\.0\.1:(?!8080)\d+$/);
    const told = { PORT: "1", HOST: "nowhere.invalid" };
    const args = ["serve", fixture, "--workers", "1", "--port=0", "--host=localhost"];
    await using other = millrace(args, { env: told });
    assert.match(await other.listening(), /^http:\/\/localhost:\d+$/);
  });

  test("listens on a Unix socket", { skip: process.platform === "win32" }, async () => {
    await using project = await TempProject.create({});
    const socketPath = project.path("app.sock");
    await using server = millrace(["serve", fixture, "--socket", socketPath, "--workers", "1"]);
    assert.equal(await server.listening(), `unix:${socketPath}`);
    const asked = request({ socketPath, path: "/hello" }).end();
    const [response] = await once(asked, "response");
    assert.equal((await response.toArray()).join(""), "hello");
  });

  test("says how many workers run", async () => {
    await using server = millrace(["serve", fixture, "--port", "0", "--workers", "1-3"]);
    await server.listening();
    assert.match(server.stdout, / · 1 worker thread\n/);
  });

  test("prints what handlers print", async () => {
    await using project = await TempProject.create({
      "app.ts": `import { app } from "millrace";
        export default app()
          .get("/", () => { console.log("printed by a handler"); console.error("and this"); return "" })
          .get("/edge", { placement: "edge" }, () => { console.log("printed on the edge"); return "" });`,
    });
    await using server = millrace(["serve", project.path("app.ts"), ...few]);
    const url = await server.listening();
    await textOf(url, "/");
    await textOf(url, "/edge");
    await server.printed(/printed by a handler\n[^]*printed on the edge\n/);
    await server.printed(/and this\n/);
    assert.equal(server.stderr, "and this\n");
  });

  test("says in one line that a worker died, and goes on", async () => {
    await using server = millrace(["serve", fixture, "--port", "0", "--workers", "1"]);
    const url = await server.listening();
    await textOf(url, "/exit");
    await server.printed(/Worker 1 .*; a new one takes its place\n/);
    assert.equal(await textOf(url, "/hello"), "hello");
    assert.equal(server.stderr.split("\n").length, 2, server.stderr);
  });

  test("goes on when nobody reads what it prints", async () => {
    await using server = millrace(["serve", fixture, ...few]);
    const url = await server.listening();
    server.child.stdout?.destroy();
    server.child.stderr?.destroy();
    assert.equal(await textOf(url, "/throw").then((text) => text.includes("500")), true);
    assert.equal(await textOf(url, "/hello"), "hello");
    server.signal("SIGINT");
    assert.equal((await server.ended).code, 0);
  });
});

describe("millrace serve, told to stop,", () => {
  async function stopped(server: CommandProcess): Promise<string> {
    await server.printed(/Draining/);
    const { code, stdout, stderr } = await server.ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\nDraining \(SIG(INT|TERM)\): \d+ connections? open, .*\nStopped\n$/);
    return stderr;
  }

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`by ${signal}: answers what it has accepted and exits with 0`, async () => {
      await using server = millrace(["serve", slow, ...few]);
      const url = await server.listening();
      const answer = textOf(url, "/sleep/900");
      await server.printed(/begun to sleep\n/);
      server.signal(signal);
      await server.printed(/Draining/);
      await sleep(100);
      assert.equal(await textOf(url, "/sleep/0"), "cut", "a new connection was accepted");
      assert.equal(await answer, "slept");
      assert.equal(await stopped(server), "");
    });
  }

  test("by one Ctrl-C that npm sends on: takes it for one", async () => {
    await using server = millrace(["serve", slow, ...few]);
    const answer = textOf(await server.listening(), "/sleep/900");
    await server.printed(/begun to sleep\n/);
    server.signal("SIGINT");
    await server.printed(/Draining/);
    server.signal("SIGINT");
    assert.equal(await answer, "slept");
    assert.equal(await stopped(server), "");
  });

  for (const [first, second, code] of [
    ["SIGINT", "SIGINT", 130],
    ["SIGINT", "SIGTERM", 143],
    ["SIGTERM", "SIGINT", 130],
  ] as const) {
    test(`by ${first} and then ${second}: stops at once with ${code}`, async () => {
      await using server = millrace(["serve", slow, ...few]);
      const answer = textOf(await server.listening(), "/sleep/20000");
      const busy = textOf(await server.listening(), "/burn/20000");
      await server.printed(
        /begun to sleep\n[^]*begun to burn\n|begun to burn\n[^]*begun to sleep\n/,
      );
      server.signal(first);
      await server.printed(/Draining/);
      // Nearer together, two equal ones are one Ctrl-C.
      if (first === second) await sleep(500);
      const startMs = performance.now();
      server.signal(second);
      const ended = await server.ended;
      assert.equal(ended.code, code);
      assert.ok(ended.stdout.endsWith(`Stopped at once (${second})\n`), ended.stdout);
      assert.ok(performance.now() - startMs < 3_000);
      assert.deepEqual([await answer, await busy], ["cut", "cut"]);
    });
  }

  test("cuts what has not ended within --drain-timeout", async () => {
    await using server = millrace(["serve", slow, ...few, "--drain-timeout", "0.2"]);
    const answer = textOf(await server.listening(), "/sleep/20000");
    await server.printed(/begun to sleep\n/);
    server.signal("SIGINT");
    assert.match(
      await stopped(server),
      /^millrace: What had not ended after 0\.2 seconds was cut\n$/,
    );
    assert.equal(await answer, "cut");
  });

  test("while it starts: exits with 0 at once", async () => {
    await using project = await TempProject.create({
      "app.ts": `console.log("loading"); await new Promise((resolve) => setTimeout(resolve, 20_000));`,
    });
    await using server = millrace(["serve", project.path("app.ts"), ...few]);
    await server.printed(/loading\n/);
    server.signal("SIGINT");
    assert.deepEqual(await server.ended, { code: 0, stdout: "loading\n", stderr: "" });
  });
});

describe("millrace serve, when it can't,", () => {
  async function refused(app: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runToEnd(millrace(["serve", app, ...few, ...args]));
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.equal(stderr.match(/^millrace:/gm)?.length, 1, `more than one error: ${stderr}`);
    return stderr;
  }

  test("names the port that is in use", async () => {
    const occupant = createNetServer().listen(0, "127.0.0.1");
    await once(occupant, "listening");
    const { port } = occupant.address() as AddressInfo;
    const stderr = await refused(fixture, "--port", String(port));
    occupant.close();
    assert.match(stderr, new RegExp(`^millrace: Cannot listen on .*:${port}: .* in use\\b.*\n$`));
  });

  test("names the file that isn't there", async () => {
    const stderr = await refused("nowhere/app.ts");
    assert.match(stderr, /^millrace: Cannot load .*\/nowhere\/app\.ts: there is no such file\n$/);
    assert.match(await refused("src"), /: that is not a file\n$/);
  });

  test("shows the place of a syntax error, in TypeScript and in JavaScript", async () => {
    const wrong = "const a = 1;\nconst b = ;\n";
    await using project = await TempProject.create({ "app.ts": wrong, "app.js": wrong });
    for (const file of ["app.ts", "app.js"]) {
      const stderr = await refused(project.path(file));
      assert.ok(stderr.includes(`Cannot load the application ${project.path(file)}: SyntaxError`));
      assert.match(stderr, new RegExp(`\n    at .*/${file}:2\n[^]*    const b = ;\n +\\^\n$`));
    }
  });

  test("shows where in the application it threw", async () => {
    const stderr = await refused("test/fixtures/broken/throws-at-load.ts");
    assert.match(
      stderr,
      /: no database today\n {4}at test\/fixtures\/broken\/throws-at-load\.ts:1:7\n$/,
    );
  });

  test("says what the module must export", async () => {
    const none = await refused("test/fixtures/broken/no-default-export.ts");
    assert.match(
      none,
      /no-default-export\.ts: .*`default app\(\)`, but it has no default export\n$/,
    );
    const wrong = await refused("test/fixtures/broken/wrong-export.ts");
    assert.match(wrong, /wrong-export\.ts: .*its default export is something else\n$/);
  });

  test("names --import for TypeScript that can't be stripped", async () => {
    const stderr = await refused("test/fixtures/broken/enum.ts");
    assert.match(stderr, /enum\.ts: .*enum is not supported[^]*--import/);
    assert.match(stderr, /\n {4}at test\/fixtures\/broken\/enum\.ts:4\n/);
  });

  test("names both places of routes that collide", async () => {
    const stderr = await refused("test/fixtures/broken/colliding.ts");
    assert.match(stderr, /broken\/colliding\.ts:5:4.*broken\/colliding\.ts:4:4.*\n$/);
  });
});

describe("millrace routes", () => {
  test("lists routes and folders as a table", async () => {
    const { code, stdout, stderr } = await runToEnd(millrace(["routes", starter]));
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    const places = stdout.replaceAll(/app\.ts:\d+:\d+/g, "app.ts:L:C");
    assert.equal(
      places,
      [
        "METHOD  PATTERN         RUNS ON  BODY LIMIT  DECLARED AT",
        "GET     /api/hello      thread   1 MiB       examples/starter/app.ts:L:C",
        "GET     /api/time       thread   1 MiB       examples/starter/app.ts:L:C",
        "POST    /api/echo       thread   1 MiB       examples/starter/app.ts:L:C",
        "GET     /api/primes/:n  thread   1 MiB       examples/starter/app.ts:L:C",
        "GET     /api/stream     thread   1 MiB       examples/starter/app.ts:L:C",
        "GET     /now            edge     1 MiB       examples/starter/app.ts:L:C",
        "files   /               edge                 examples/starter/public",
        "",
      ].join("\n"),
    );
  });

  test("lists them as JSON", async () => {
    const { code, stdout } = await runToEnd(millrace(["routes", fixture, "--json"]));
    assert.equal(code, 0);
    const { routes } = JSON.parse(stdout);
    const found = routes.find((route: { pattern: string }) => route.pattern === "/large");
    assert.match(found.source, /^test\/fixtures\/app\.ts:\d+:\d+$/);
    const { method, placement, bodyBytesMax } = found;
    const wanted = { method: "POST", placement: "thread", bodyBytesMax: 50_000_000 };
    assert.deepEqual({ method, placement, bodyBytesMax }, wanted);
  });

  test("prints a collision as the error that it is", async () => {
    const app = "test/fixtures/broken/colliding.ts";
    const { code, stdout, stderr } = await runToEnd(millrace(["routes", app]));
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
    assert.match(stderr, /colliding\.ts:5:4.*colliding\.ts:4:4/);
  });
});

describe("millrace", { concurrency: 2 }, () => {
  test("tells its version and how it is used", async () => {
    const version = await runToEnd(millrace(["--version"]));
    assert.match(version.stdout, /^millrace \d+\.\d+\.\d+\n$/);
    const help = await runToEnd(millrace(["--help"]));
    assert.match(help.stdout, /serve <app\.ts>[^]*routes <app\.ts>/);
    for (const args of [
      ["help", "serve"],
      ["serve", "--help"],
    ]) {
      const { code, stdout } = await runToEnd(millrace(args));
      assert.equal(code, 0);
      for (const option of ["port", "host", "socket", "backlog", "workers", "import"]) {
        assert.match(stdout, new RegExp(`--${option} [A-Z]`));
      }
      const widest = Math.max(...stdout.split("\n").map((line) => line.length));
      assert.ok(widest <= 100, `${widest} columns`);
    }
  });

  const wrong: readonly (readonly [args: string[], message: RegExp])[] = [
    [[], /Give a command[^]*serve <app\.ts>/],
    [["sevre", fixture], /no command sevre\. Did you mean serve\?/],
    [["deploy"], /no command deploy; there are serve, routes and help/],
    [["app.ts"], /millrace serve app\.ts/],
    [["serve"], /Which application\?/],
    [["serve", fixture, "other.ts"], /takes one file; other\.ts/],
    [["serve", fixture, "--prot", "1"], /no option --prot\. Did you mean --port\?/],
    [["serve", fixture, "--colour"], /no option --colour\. millrace help serve lists them/],
    [["serve", fixture, "--port"], /--port wants a value/],
    [["serve", fixture, "--port", "--host", "x"], /--port wants a value/],
    [["serve", fixture, "--port", "80a"], /--port can't be 80a: .*0 to 65535/],
    [["serve", fixture, "--port", "65536"], /--port can't be 65536/],
    [["serve", fixture, "--backlog", "0"], /--backlog can't be 0/],
    [["serve", fixture, "--workers", "many"], /--workers can't be many/],
    [["serve", fixture, "--workers", "3-2"], /--workers 3-2/],
    [["serve", fixture, "--drain-timeout", "-1"], /--drain-timeout wants a value/],
    [["serve", fixture, "--drain-timeout=1m"], /--drain-timeout can't be 1m/],
    [["serve", fixture, "--socket", "a", "--port", "1"], /either --socket or --host and --port/],
    [["routes", fixture, "--json=yes"], /--json takes no value/],
  ];
  for (const [args, message] of wrong) {
    test(`refuses \`millrace ${args.join(" ")}\` with 2`, async () => {
      const { code, stdout, stderr } = await runToEnd(millrace(args));
      assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
      assert.match(stderr, message);
    });
  }

  test("refuses a PORT in the environment that is none", async () => {
    const { code, stderr } = await runToEnd(millrace(["serve", fixture], { env: { PORT: "web" } }));
    assert.equal(code, 2);
    assert.match(stderr, /PORT in the environment can't be web/);
  });
});
