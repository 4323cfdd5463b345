import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = fileURLToPath(new URL("../../", import.meta.url));

/** A folder of its own for a test that needs files which can't stand in the checkout. */
export class TempProject implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes one with `files`, path to text, in which `import "millrace"` means this checkout. */
  static async create(files: Readonly<Record<string, string>>): Promise<TempProject> {
    // Its real path, because that is what messages name.
    const folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-test-")));
    const project = new TempProject(folder);
    for (const [path, text] of Object.entries({ "package.json": `{"type":"module"}`, ...files })) {
      await mkdir(dirname(project.path(path)), { recursive: true });
      await writeFile(project.path(path), text);
    }
    await mkdir(project.path("node_modules"), { recursive: true });
    await symlink(checkout, project.path("node_modules/millrace"), "dir");
    return project;
  }

  path(path: string): string {
    return join(this.folder, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
