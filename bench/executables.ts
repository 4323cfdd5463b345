import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Full path of a command on `PATH` or in `sbin` (which a user's path may lack); else null. */
export function findExecutable(name: string): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/** Whether we may run that file. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Absent or not ours to run: the same to every caller here.
  }
}
