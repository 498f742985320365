-- Forgets a server that ended in order. ARGV: id, instance.

local id, instance = ARGV[FIRST], ARGV[FIRST + 1]
local server = readServer(id)
-- A process that was refused the id must not end the one that has it.
if server and server.instance == instance then forgetServer(id, 'left') end
return true
