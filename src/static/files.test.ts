import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { readlink, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import type { Reply } from "../core/reply.ts";
import { Request } from "../core/request.ts";
import { contentTypeOf, file } from "./file.ts";
import { FileBody } from "./file-body.ts";
import { parseFilePath } from "./file-path.ts";
import { filesHandler } from "./files.ts";

const base = mkdtempSync(join(tmpdir(), "millrace-files-"));
after(() => rmSync(base, { recursive: true }));
const root = join(base, "root");
const large = Buffer.alloc(200_000, "0123456789");
const secret = "SECRET";

for (const folder of ["sub", "empty", ".git", ".well-known", "sub/.well-known"]) {
  mkdirSync(join(root, folder), { recursive: true });
}
mkdirSync(join(base, "rooted"));
for (const [name, content] of Object.entries({
  "a.txt": "ä text",
  "empty.css": "",
  "large.bin": large,
  "index.html": "<home>",
  "sub/index.html": "<sub>",
  "sub/it's 100% ü.js": "js",
  ".env": secret,
  ".git/config": secret,
  ".well-known/security.txt": "contact",
  "sub/.well-known/x": secret,
  "../secret.txt": secret,
  "../rooted/secret.txt": secret,
})) {
  writeFileSync(join(root, name), content);
}
symlinkSync(join(base, "secret.txt"), join(root, "out.txt"));
symlinkSync(base, join(root, "up"));
symlinkSync(join(base, "rooted"), join(root, "sibling"));
symlinkSync("a.txt", join(root, "inside.txt"));
symlinkSync("loop", join(root, "loop"));
symlinkSync(root, join(base, "linked"));
utimesSync(join(root, "a.txt"), 0, new Date("2020-02-02T02:02:02Z"));

const serve = filesHandler({ prefix: "/s/", root });

function get(
  target: string,
  options: { method?: string; from?: typeof serve } = {},
): Promise<Reply | undefined> {
  const request = new Request(options.method ?? "GET", target, "", "::1", null, "");
  return (options.from ?? serve)(request);
}

async function contentOf(answer: Reply | undefined): Promise<string | undefined> {
  if (answer === undefined) return undefined;
  if (answer.body instanceof Uint8Array) return Buffer.from(answer.body).toString();
  const parts: Uint8Array[] = [];
  for await (const chunk of answer.body as FileBody) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

/** Files below `base` that this process has open. Linux only, like the check it serves. */
async function openFiles(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  return links.filter((link) => link.startsWith(base));
}
const noProc = process.platform === "linux" ? false : "needs /proc to see open files";

describe("filesHandler serves", () => {
  const cases: [target: string, content: string, type: string][] = [
    ["/s/a.txt", "ä text", "text/plain; charset=utf-8"],
    ["/s/a.txt?v=1", "ä text", "text/plain; charset=utf-8"],
    ["/s/%61%2etxt", "ä text", "text/plain; charset=utf-8"],
    ["http://h/s/a.txt", "ä text", "text/plain; charset=utf-8"],
    ["/s/empty.css", "", "text/css; charset=utf-8"],
    ["/s/", "<home>", "text/html; charset=utf-8"],
    ["/s/sub/", "<sub>", "text/html; charset=utf-8"],
    ["/s/sub/it's%20100%25%20%C3%BC.js", "js", "text/javascript; charset=utf-8"],
    ["/s/inside.txt", "ä text", "text/plain; charset=utf-8"],
    ["/s/.well-known/security.txt", "contact", "text/plain; charset=utf-8"],
    ["/s/large.bin", large.toString(), "application/octet-stream"],
  ];
  for (const [target, content, type] of cases) {
    test(target, async () => {
      const answer = await get(target);
      assert.equal(answer?.status, 200);
      assert.equal(answer.headers.get("content-type"), type);
      assert.equal(answer.headers.get("content-length"), String(Buffer.byteLength(content)));
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      assert.equal(answer.body instanceof FileBody, content.length > 65_536);
      assert.equal(await contentOf(answer), content);
    });
  }

  test("when a file was last modified", async () => {
    assert.equal(
      (await get("/s/a.txt"))?.headers.get("last-modified"),
      "Sun, 02 Feb 2020 02:02:02 GMT",
    );
  });

  test("HEAD with the fields of GET and no content", async () => {
    for (const target of ["/s/a.txt", "/s/large.bin"]) {
      const [head, full] = [await get(target, { method: "HEAD" }), await get(target)];
      assert.equal(head?.body, null);
      assert.deepEqual([...(head?.headers ?? [])], [...(full?.headers ?? [])]);
      await contentOf(full);
    }
  });

  test("a root that is a symbolic link, or given as URL, under any prefix", async () => {
    for (const from of [
      filesHandler({ prefix: "/", root: join(base, "linked") }),
      filesHandler({ prefix: "/", root: pathToFileURL(root) }),
    ]) {
      assert.equal(await contentOf(await get("/a.txt", { from })), "ä text");
      assert.equal(await contentOf(await get("/", { from })), "<home>");
    }
  });

  test("a folder by a redirect to its path with a slash, with the query", async () => {
    for (const [target, location] of [
      ["/s/sub", "/s/sub/"],
      ["/s/sub?a=//b", "/s/sub/?a=//b"],
      ["/s", "/s/"],
      ["http://other/s/sub", "/s/sub/"],
    ] as const) {
      const answer = await get(target);
      assert.deepEqual([answer?.status, answer?.headers.get("location")], [308, location]);
    }
  });
});

describe("filesHandler has nothing for", () => {
  const targets = [
    "/",
    "/other/a.txt",
    "/sa.txt",
    "/s/none",
    "/s/empty/",
    "/s/empty",
    "/s/a.txt/",
    "/s/a.txt/b",
    "/s/A.TXT.",
    "/s/../secret.txt",
    "/s/..",
    "/s/../",
    "/s/./a.txt",
    "/s/.",
    "/s/sub/../a.txt",
    "/s/sub/../../secret.txt",
    "/s/%2e%2e/secret.txt",
    "/s/%2E%2E/secret.txt",
    "/s/.%2e/secret.txt",
    "/s/%2e./secret.txt",
    "/s/..%2fsecret.txt",
    "/s/..%2Fsecret.txt",
    "/s/%2e%2e%2fsecret.txt",
    "/s/sub%2findex.html",
    "/s/..%5csecret.txt",
    "/s/..\\secret.txt",
    "/s/sub\\index.html",
    "/s/%5c%5chost%5cshare",
    "/s/%252e%252e/secret.txt",
    "/s/%252e%252e%252fsecret.txt",
    "/s/..%252fsecret.txt",
    "/s/%c0%ae%c0%ae/secret.txt",
    "/s/%c0%af",
    "/s/%u002e%u002e/secret.txt",
    "/s/%uff0e/secret.txt",
    "/s/\uff0e\uff0e/secret.txt",
    "/s/%ef%bc%8e%ef%bc%8e/secret.txt",
    "/s/..%00/secret.txt",
    "/s/a.txt%00",
    "/s/a.txt%00.html",
    "/s//a.txt",
    "/s//secret.txt",
    "/s/sub//index.html",
    "/s//",
    "/s///etc/passwd",
    "/s/%2fetc%2fpasswd",
    "/s/C:/secret.txt",
    "/s/c:%5csecret.txt",
    "/s/a.txt::$DATA",
    "/s/a.txt%3a%3a$DATA",
    "/s/a.txt%20",
    "/s/a.txt.",
    "/s/...",
    "/s/..../secret.txt",
    "/s/..;/secret.txt",
    "/s/.env",
    "/s/%2eenv",
    "/s/.git/config",
    "/s/.git/",
    "/s/.git",
    "/s/sub/.well-known/x",
    "/s/.well-known",
    "/s/%",
    "/s/%2",
    "/s/%zz",
    "/s/%e4.txt",
    "/s/ä.txt",
    "/s/a%0d%0a.txt",
    "/s/out.txt",
    "/s/up/secret.txt",
    "/s/up/",
    "/s/sibling/secret.txt",
    "/s/loop",
    "/s/loop/a",
    "/s/" + "a".repeat(5_000),
    `/s/${"a/".repeat(3_000)}`,
    "*",
    "http://h",
    `/s/up/root/a.txt/../../secret.txt`,
  ];
  for (const target of targets) {
    test(JSON.stringify(target.slice(0, 60)), async () =>
      assert.equal(await get(target), undefined),
    );
  }

  test("other methods", async () => {
    for (const method of ["POST", "OPTIONS", "DELETE", "get"]) {
      assert.equal(await get("/s/a.txt", { method }), undefined);
    }
  });

  test("a pipe, without waiting for it", { skip: process.platform === "win32" }, async () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    assert.equal(await get("/s/pipe"), undefined);
  });

  test("a path that would redirect to another host", async () => {
    const from = filesHandler({ prefix: "/", root });
    for (const target of ["//sub", "//evil.example/..", "/%2fsub", "/\\sub", "http://h//sub"]) {
      assert.equal(await get(target, { from }), undefined);
    }
  });

  test("any path that leaves the root (property)", async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "..",
        ".",
        "%2e",
        "%2E",
        "%2f",
        "%5c",
        "/",
        "\\",
        "%00",
        "%25",
        "secret.txt",
        "up",
        "sub",
        "out.txt",
      ),
      fc.string({ maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const path = pieces.join("");
        const parsed = parseFilePath(path);
        if (parsed !== undefined) {
          const full = resolve(join(root, ...parsed.segments));
          assert.ok(full === root || full.startsWith(root + sep));
          assert.ok(parsed.segments.every((segment) => !/[/\\\0]/.test(segment)));
        }
        const answer = await get("/s/" + path);
        assert.notEqual(answer?.status === 200 ? await contentOf(answer) : "", secret);
        const location = answer?.headers.get("location") ?? "/s/";
        assert.match(location, /^\/s\//);
      }),
      { numRuns: 500 },
    );
  });
});

describe("FileBody", () => {
  test(
    "closes its file at the end, when its reader stops and when nobody reads it",
    { skip: noProc },
    async () => {
      await contentOf(await get("/s/large.bin"));
      assert.deepEqual(await openFiles(), []);
      for (const reads of [0, 1]) {
        const body = (await get("/s/large.bin"))?.body as FileBody;
        assert.equal((await openFiles()).length, 1);
        for (let read = 0; read < reads; read++) await body.next();
        await body.return();
        await body.return();
        assert.deepEqual(await openFiles(), []);
        assert.equal((await body.next()).done, true);
      }
      const raced = (await get("/s/large.bin"))?.body as FileBody;
      await Promise.allSettled([raced.next(), raced.return()]);
      assert.deepEqual(await openFiles(), []);
    },
  );

  test("breaks off, and closes its file, when that became shorter", async () => {
    const path = join(root, "shrinking.bin");
    writeFileSync(path, large);
    const answer = await get("/s/shrinking.bin");
    truncateSync(path, 70_000);
    await assert.rejects(contentOf(answer), { code: "FILE_SHRANK" });
    if (noProc === false) assert.deepEqual(await openFiles(), []);
  });

  test(
    "leaves no file open after whole files, HEAD, redirects and folders",
    { skip: noProc },
    async () => {
      for (const target of ["/s/a.txt", "/s/sub", "/s/", "/s/empty/", "/s/up/"]) await get(target);
      await get("/s/large.bin", { method: "HEAD" });
      assert.deepEqual(await openFiles(), []);
    },
  );
});

test("file makes a reply of a file, with the fields it is given", async () => {
  const answer = await file(join(root, "a.txt"), {
    status: 203,
    headers: { "content-type": "a/b" },
  });
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [203, "a/b"]);
  assert.equal(await contentOf(await file(pathToFileURL(join(root, "a.txt")))), "ä text");
  const streamed = await contentOf(await file(join(root, "large.bin")));
  const hash = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex");
  assert.equal(hash(streamed ?? ""), hash(large));
  for (const path of [join(root, "none"), root]) {
    await assert.rejects(file(path), {
      name: "HttpError",
      status: 404,
      message: "There is nothing at this path",
    });
  }
});

test("contentTypeOf goes by the extension", () => {
  const cases: [name: string, type: string][] = [
    ["a.HTML", "text/html; charset=utf-8"],
    ["a.min.css", "text/css; charset=utf-8"],
    ["a.json", "application/json"],
    ["a.svg", "image/svg+xml"],
    ["a.woff2", "font/woff2"],
    ["html", "application/octet-stream"],
    ["a.unheard", "application/octet-stream"],
  ];
  for (const [name, type] of cases) assert.equal(contentTypeOf(name), type, name);
});
