-- For wrk: every request has another made-up token.
math.randomseed(os.time())

function request()
  local parts = {}
  for i = 1, 5 do
    parts[i] = string.format("%07x", math.random(0, 0xfffffff))
  end
  return wrk.format("GET", nil, { Authorization = "token " .. table.concat(parts) })
end
