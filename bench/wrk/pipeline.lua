-- Requests sent ahead of their answers: `wrk … -s pipeline.lua URL -- METHOD DEPTH`.
-- wrk counts the requests in what `request` returns and waits for that many answers.
require("report")

local batch

function init(args)
  wrk.method = args[1]
  batch = string.rep(wrk.format(), tonumber(args[2]))
end

function request()
  return batch
end
