import { test } from "node:test";
import type { Middleware } from "../core/handler.ts";
import { app } from "./app.ts";

/** What the compiler must know; a wrong line here fails the type check, not the test. */
test("app knows the types of parameters and state", () => {
  interface User {
    readonly name: string;
  }
  const signIn: Middleware<{ user: User }> = (request, next) => {
    request.state.user = { name: "Ada" };
    return next(request);
  };
  const count: Middleware<{ count: number }> = (request, next) => {
    request.state.count = 1;
    return next(request);
  };
  const same = <Expected>(_: NoInfer<Expected>, proof: Expected): void => void proof;
  const application = app()
    .get("/plain/:id/*rest", (request) => {
      same<{ id: string; rest: string }>(request.params, request.params);
      // @ts-expect-error: the pattern has no such parameter
      void request.params.ib;
      // @ts-expect-error: nobody has added a user yet
      void request.state.user;
      return request.params.id;
    })
    .use((request, next) => next(request))
    .use(signIn)
    .get("/user", (request) => {
      same<string>(request.state.user.name, "");
      // @ts-expect-error: names are strings
      same<number>(request.state.user.name, 0);
      return request.state.user.name;
    })
    .use(count)
    .group("/g/:g", (group) =>
      group
        .use<{ extra: boolean }>((request, next) => {
          request.state.extra = request.state.count > 0;
          return next(request);
        })
        .get("/:x", (request) => {
          const { g, x } = request.params;
          same<boolean>(request.state.extra, true);
          return `${g} ${x} ${request.state.user.name}`;
        }),
    )
    .get("/count", { priority: 1 }, (request) => request.state.count);
  // @ts-expect-error: a group's state is the group's alone
  application.get("/extra", (request) => request.state.extra as boolean);
  // @ts-expect-error: a handler must return something
  application.get("/nothing", () => {});
  app<{ given: string }>().get("/", (request) => request.state.given);
});
