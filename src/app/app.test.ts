import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { isApplication, type Application } from "../core/application.ts";
import { HttpError } from "../core/errors.ts";
import type { Handler, Middleware } from "../core/handler.ts";
import { asReply, reply, type Reply } from "../core/reply.ts";
import { Request } from "../core/request.ts";
import { Router } from "../router/router.ts";
import { app } from "./app.ts";

/** Does what the server does with a request, as far as the application is concerned. */
async function ask(application: Application, line: string): Promise<Reply> {
  const [method = "", target = ""] = line.split(" ");
  const { routes } = application.manifest();
  const router = new Router<number>();
  for (const [index, route] of routes.entries()) router.add(route, index);
  const path = new Request(method, target, "", "::1", null, "").path;
  const index = router.find(method, path);
  const pattern = index === undefined ? null : application.patterns[index];
  const request = new Request(method, target, "", "::1", pattern ?? null, "");
  const handler = index === undefined ? application.miss : application.handlers[index];
  try {
    return asReply(await (handler as Handler)(request));
  } catch (error) {
    return asReply(await application.recover(error, request));
  }
}

/** Adds its name to the field `x-through`, outermost first. */
function through(name: string): Middleware {
  return async (request, next) => {
    const answer = asReply(await next(request));
    const inner = answer.headers.get("x-through");
    answer.headers.set("x-through", inner === null ? name : `${name} ${inner}`);
    return answer;
  };
}

const hello: Handler = () => "hello";

async function summary(application: Application, line: string): Promise<unknown[]> {
  const { status, body, headers } = await ask(application, line);
  return [status, typeof body === "string" && status < 400 ? body : null, headers.get("x-through")];
}

describe("app describes itself", () => {
  test("with defaults, options and the place of each declaration", () => {
    const application = app({ bodyLimit: 100 })
      .get("/", hello)
      .post("/a/", { placement: "edge", bodyLimit: 0, priority: -8, queueTimeoutMs: 5 }, hello)
      .route("PURGE", "/b/:c", hello);
    const { routes, ...rest } = application.manifest();
    const common = { placement: "thread", bodyBytesMax: 100, priority: 0, queueTimeoutMs: 30_000 };
    assert.deepEqual(rest, { files: [], miss: "edge", missBodyBytesMax: 100 });
    assert.deepEqual(
      routes.map(({ source: _, ...route }) => route),
      [
        { method: "GET", pattern: "/", ...common },
        {
          method: "POST",
          pattern: "/a",
          placement: "edge",
          bodyBytesMax: 0,
          priority: -8,
          queueTimeoutMs: 5,
        },
        { method: "PURGE", pattern: "/b/:c", ...common },
      ],
    );
    for (const { source } of routes) assert.match(source, /^src\/app\/app\.test\.ts:\d+:\d+$/);
    assert.equal(new Set(routes.map(({ source }) => source)).size, 3);
    assert.equal(structuredClone(application.manifest()).routes.length, 3);
    assert.equal(app().manifest().missBodyBytesMax, 1_048_576);
  });

  test("as an application, and nothing else does", () => {
    assert.ok(isApplication(app()));
    for (const other of [null, undefined, {}, app, "app"]) assert.ok(!isApplication(other));
  });

  test("with a route for every method that `all` stands for and nobody else", () => {
    const { routes } = app().all("/a", hello).post("/a", hello).get("/b", hello).manifest();
    assert.deepEqual(
      routes.map(({ method, pattern }) => `${method} ${pattern}`),
      ["GET /a", "PUT /a", "PATCH /a", "DELETE /a", "OPTIONS /a", "POST /a", "GET /b"],
    );
  });

  test("once: what is declared later is refused", () => {
    const application = app().get("/", hello);
    const late: (() => unknown)[] = [
      () => application.get("/a", hello),
      () => application.use(through("a")),
      () => application.files("/", "."),
      () => application.mount("/a", app()),
    ];
    const manifest = application.manifest();
    for (const declare of late) assert.throws(declare, { code: "APP_SEALED" });
    assert.equal(application.manifest(), manifest);
  });
});

describe("app refuses", () => {
  const twice = (): Application => app().get("/a/:x", hello).get("/a/:y", hello);
  const cyclic = (): Application => {
    const outer = app();
    const inner = app().mount("/b", outer);
    return outer.mount("/a", inner);
  };
  const cases: [name: string, attempt: () => unknown, code: string, message: RegExp][] = [
    [
      "a collision, naming both places",
      () => twice().manifest(),
      "ROUTE_COLLISION",
      /app\.test\.ts:\d+.*app\.test\.ts:\d+/s,
    ],
    [
      "an unknown route option, naming the nearest",
      () => app().get("/", { bodylimit: 1 } as never, hello),
      "ROUTE_OPTION",
      /app\.test\.ts:\d+.*did you mean bodyLimit\?/,
    ],
    [
      "an option unlike any, naming all",
      () => app().get("/", { colour: 1 } as never, hello),
      "ROUTE_OPTION",
      /known are placement, bodyLimit/,
    ],
    [
      "an unknown app option",
      () => app({ bodyLimt: 1 } as never),
      "APP_OPTION",
      /did you mean bodyLimit\?/,
    ],
    [
      "a route's option for the app",
      () => app({ priority: 1 } as never),
      "APP_OPTION",
      /no option priority/,
    ],
    [
      "an impossible placement",
      () => app().get("/", { placement: "moon" as never }, hello),
      "ROUTE_OPTION",
      /"moon"; give "edge" or "thread"/,
    ],
    ["an impossible limit", () => app({ bodyLimit: -1 }), "APP_OPTION", /bytes from 0/],
    [
      "an impossible priority",
      () => app().get("/", { priority: 9 }, hello),
      "ROUTE_OPTION",
      /−8 to 8/,
    ],
    [
      "a timeout of nothing",
      () => app().get("/", { queueTimeoutMs: 0 }, hello),
      "ROUTE_OPTION",
      /ms from 1/,
    ],
    [
      "a handler that is none",
      () => app().get("/", "hello" as never),
      "ROUTE_HANDLER",
      /is string/,
    ],
    ["a missing handler", () => app().get("/", {} as never), "ROUTE_HANDLER", /give a function/],
    ["a middleware that is none", () => app().use(null as never), "MIDDLEWARE", /function/],
    ["a method that is no token", () => app().route("GE T", "/", hello), "ROUTE_METHOD", /"GE T"/],
    ["a method in lower case", () => app().route("get", "/", hello), "ROUTE_METHOD", /write GET/],
    ["a path without slash", () => app().get("a", hello), "ROUTE_PATTERN", /start with "\/"/],
    ["a wildcard in a prefix", () => app().group("/*a", () => {}), "ROUTE_PATTERN", /last/],
    [
      "a group that waits",
      () => app().group("/a", async () => {}),
      "GROUP_ASYNC",
      /without waiting/,
    ],
    ["a mount of something else", () => app().mount("/a", {} as never), "MOUNT", /app\(\)/],
    ["an application in itself", () => cyclic().manifest(), "MOUNT_CYCLE", /in itself/],
    [
      "a second error handler",
      () =>
        app()
          .onError(() => "")
          .onError(() => ""),
      "APP_HANDLER",
      /once/,
    ],
    [
      "a folder that is none",
      () => app().files("/", "no/such/folder").manifest(),
      "FILES_ROOT",
      /not a folder/,
    ],
    [
      "two folders at one place",
      () => app().files("/a", ".").files("/a/", "src").manifest(),
      "FILES_COLLISION",
      /\/a\//,
    ],
    [
      "parameters in a folder's prefix",
      () => app().files("/:a", "."),
      "FILES_PREFIX",
      /parameters/,
    ],
    [
      "a misses' handler below parameters",
      () => app().mount("/:a", app().onMiss(hello)).manifest(),
      "MOUNT_MISS",
      /parameters/,
    ],
  ];
  for (const [name, attempt, code, message] of cases) {
    test(name, () => assert.throws(attempt, { name: "ConfigError", code, message }));
  }
});

describe("app wraps", () => {
  test("what is declared after a middleware, the first outermost", async () => {
    const application = app()
      .get("/before", hello)
      .use(through("a"), through("b"))
      .get("/after", hello)
      .use(through("c"))
      .get("/last", { placement: "edge" }, hello);
    assert.deepEqual(await summary(application, "GET /before"), [200, "hello", null]);
    assert.deepEqual(await summary(application, "GET /after"), [200, "hello", "a b"]);
    assert.deepEqual(await summary(application, "GET /last"), [200, "hello", "a b c"]);
    assert.deepEqual(await summary(application, "GET /none"), [404, null, "a b c"]);
    assert.equal(application.manifest().miss, "thread");
  });

  test("a group in what was used before it and in its own, and nothing else in the latter", async () => {
    const application = app()
      .use(through("a"))
      .group("/g/:id", (group) =>
        group
          .get("/", (request) => request.params.id)
          .use(through("g"))
          .get("/x/:y", (request) => `${request.params.id} ${request.params.y}`)
          .group("/deep/", (deep) => deep.use(through("d")).get("/z", hello)),
      )
      .use(through("b"))
      .get("/x", hello);
    assert.deepEqual(await summary(application, "GET /g/1"), [200, "1", "a"]);
    assert.deepEqual(await summary(application, "GET /g/1/x/2"), [200, "1 2", "a g"]);
    assert.deepEqual(await summary(application, "GET /g/1/deep/z"), [200, "hello", "a g d"]);
    assert.deepEqual(await summary(application, "GET /x"), [200, "hello", "a b"]);
    assert.deepEqual(await summary(application, "GET /g/1/none"), [404, null, "a b"]);
  });

  test("a mounted application, which keeps its middleware, error handler and bounds", async () => {
    const failing: Handler = () => {
      throw new HttpError(409, "inner");
    };
    const inner = app({ bodyLimit: 5 })
      .use(through("i"))
      .onError(() => reply("caught inside", { status: 299 }))
      .get("/", hello)
      .get("/fail", failing)
      .get("/late", async () => failing({} as never));
    const plain = app().get("/fail", failing);
    const application = app({ queueTimeoutMs: 7 })
      .use(through("o"))
      .onError(() => reply("caught outside", { status: 298 }))
      .mount("/in/", inner)
      .mount("/plain", plain)
      .get("/fail", failing);
    assert.deepEqual(await summary(application, "GET /in"), [200, "hello", "o i"]);
    assert.deepEqual(await summary(application, "GET /in/fail"), [299, "caught inside", "o"]);
    assert.deepEqual(await summary(application, "GET /in/late"), [299, "caught inside", "o"]);
    assert.deepEqual(await summary(application, "GET /plain/fail"), [298, "caught outside", null]);
    assert.deepEqual(await summary(application, "GET /fail"), [298, "caught outside", null]);
    const [route] = application.manifest().routes;
    assert.deepEqual([route?.pattern, route?.bodyBytesMax, route?.queueTimeoutMs], ["/in", 5, 7]);
  });

  test("no handler anew for each request", () => {
    const application = app().use(through("a")).get("/", hello);
    assert.equal(application.handlers[0], application.handlers[0]);
    assert.equal(application.miss, application.miss);
  });
});

describe("app answers misses", () => {
  test("with 404, with 405 and Allow, and OPTIONS with 204 and Allow", async () => {
    const application = app().get("/a", hello).delete("/a", hello).options("/own", hello);
    const allow = "DELETE, GET, HEAD, OPTIONS";
    const refused = await ask(application, "POST /a");
    assert.deepEqual([refused.status, refused.headers.get("allow")], [405, allow]);
    const options = await ask(application, "OPTIONS /a");
    assert.deepEqual([options.status, options.headers.get("allow")], [204, allow]);
    assert.equal((await ask(application, "OPTIONS *")).status, 204);
    assert.deepEqual(await summary(application, "OPTIONS /own"), [200, "hello", null]);
    assert.equal((await ask(application, "GET /b")).status, 404);
  });

  test("through onMiss, a mounted application's own for what lies below it", async () => {
    const inner = app()
      .use(through("i"))
      .onMiss(() => "inner miss")
      .get("/a", hello);
    const application = app()
      .use(through("o"))
      .mount("/in", inner)
      .onMiss(() => "outer miss")
      .use(through("p"));
    assert.deepEqual(await summary(application, "GET /in/b?x"), [200, "inner miss", "o p i"]);
    assert.deepEqual(await summary(application, "POST /in/a"), [200, "inner miss", "o p i"]);
    assert.deepEqual(await summary(application, "GET /inn"), [200, "outer miss", "o p"]);
    assert.equal(app().onMiss(hello).manifest().miss, "thread");
    const nested = app()
      .mount(
        "/a",
        app().onMiss(() => "a"),
      )
      .mount(
        "/a/b",
        app().onMiss(() => "b"),
      );
    assert.deepEqual(await summary(nested, "GET /a/b/c"), [200, "b", null]);
  });
});

describe("app serves files", () => {
  const root = mkdtempSync(join(tmpdir(), "millrace-app-"));
  after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "private"));
  writeFileSync(join(root, "a.txt"), "file a");
  writeFileSync(join(root, "private", "b.txt"), "file b");
  const bytes = ({ status, body, headers }: Reply): unknown[] => [
    status,
    body instanceof Uint8Array ? Buffer.from(body).toString() : null,
    headers.get("x-through"),
  ];

  test("at the edge when they come before any middleware, else inside it", async () => {
    const application = app()
      .files("/public", pathToFileURL(root))
      .use(through("a"))
      .files("/guarded/", root)
      .group("/group", (group) => group.use(through("g")).files("/files", join(root, "private")))
      .use(through("b"))
      .get("/guarded/private/:name", hello);
    const { files, miss } = application.manifest();
    assert.deepEqual(files, [{ prefix: "/public/", root }]);
    assert.equal(miss, "thread");
    assert.deepEqual(bytes(await ask(application, "GET /guarded/a.txt")), [200, "file a", "a b"]);
    assert.deepEqual(bytes(await ask(application, "GET /group/files/b.txt")), [
      200,
      "file b",
      "a b g",
    ]);
    assert.deepEqual(bytes(await ask(application, "GET /guarded/none")), [404, null, "a b"]);
    assert.deepEqual(bytes(await ask(application, "POST /guarded/a.txt")), [404, null, "a b"]);
    assert.deepEqual(await summary(application, "GET /guarded/private/b.txt"), [
      200,
      "hello",
      "a b",
    ]);
  });

  test("in a mounted application, inside its middleware", async () => {
    const inner = app().use(through("i")).files("/", root);
    const application = app().mount("/in", inner);
    assert.deepEqual(bytes(await ask(application, "GET /in/a.txt")), [200, "file a", "i"]);
    const open = app().mount("/in", app().files("/", root)).manifest();
    assert.deepEqual(open, {
      routes: [],
      files: [{ prefix: "/in/", root }],
      miss: "edge",
      missBodyBytesMax: 1_048_576,
    });
  });
});
