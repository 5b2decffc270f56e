-- requests - what wrk sends: one request after the other over a file of keys.
--
-- Arguments: method, file with `key<TAB>body` lines, requests pipelined at a time.
local ready = {}
local at = 0

function init(args)
    local method, file, depth = args[1], args[2], tonumber(args[3])
    local headers = {["Host"] = "127.0.0.1"}
    if method == "PUT" then
        headers["Content-Type"] = "application/json"
    end
    local batch = {}
    for line in io.lines(file) do
        local key, body = line:match("^(%S+)\t(.*)$")
        if method ~= "PUT" then
            body = nil
        end
        batch[#batch + 1] = wrk.format(method, "/kvs/" .. key, headers, body)
        if #batch == depth then
            ready[#ready + 1] = table.concat(batch)
            batch = {}
        end
    end
end

function request()
    at = at % #ready + 1
    return ready[at]
end
