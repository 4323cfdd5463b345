-- One request a turn: `wrk … -s request.lua URL -- METHOD [BODY]`. Headers come by -H.
-- No global `request` is defined, so wrk builds the bytes once and runs no Lua for a request.
require("report")

function init(args)
  wrk.method = args[1]
  wrk.body = args[2]
end
