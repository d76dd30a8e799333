-- A dissector of muxado v2 sessions for Wireshark and tshark. How to use it: docs/wireshark.md.
-- It decides how frames look, which rules of docs/protocol.md they break, and what it takes to see that. Numbers in
-- brackets are sections of that page.
--
-- Wireshark dissects a packet when it is first seen, in order, and again whenever it is shown, in any order. What depends
-- on earlier frames is therefore found out once, the first time, and kept by packet number and place in the packet.

local muxado = Proto("muxado", "muxado v2")

local HEADER = 8
local RST, DATA, WNDINC, GOAWAY = 0, 1, 2, 3
local FIN, SYN = 1, 2
local HEARTBEAT = 0xffffffff -- (7.4)
-- A header that cannot be right is believed about its length up to here: beyond, its sender has lost its place.
local BELIEVED = 16384

local TYPES = { [RST] = "RST", [DATA] = "DATA", [WNDINC] = "WNDINC", [GOAWAY] = "GOAWAY" }
local CODES = { -- (3.1)
    [0] = "NoError", "ProtocolError", "InternalError", "FlowControlError", "StreamClosed", "StreamRefused",
    "StreamCancelled", "StreamReset", "FrameSizeError", "AcceptQueueFull", "EnhanceYourCalm", "RemoteGoneAway",
    "StreamsExhausted", "WriteTimeout", "SessionClosed", "PeerEof", [255] = "ErrorUnknown",
}

local fields = {
    length = ProtoField.uint24("muxado.length", "Length", base.DEC),
    type = ProtoField.uint8("muxado.type", "Type", base.DEC, TYPES, 0xf0),
    flags = ProtoField.uint8("muxado.flags", "Flags", base.HEX, nil, 0x0f),
    fin = ProtoField.bool("muxado.flags.fin", "FIN", 8, nil, 0x01),
    syn = ProtoField.bool("muxado.flags.syn", "SYN", 8, nil, 0x02),
    flag4 = ProtoField.bool("muxado.flags.reserved4", "Reserved", 8, nil, 0x04),
    flag8 = ProtoField.bool("muxado.flags.reserved8", "Reserved", 8, nil, 0x08),
    reserved = ProtoField.bool("muxado.reserved", "Reserved bit", 8, nil, 0x80),
    stream = ProtoField.uint32("muxado.stream", "Stream", base.DEC),
    increment = ProtoField.uint32("muxado.increment", "Increment", base.DEC),
    error = ProtoField.uint32("muxado.error", "Error code", base.DEC, CODES),
    last_stream = ProtoField.uint32("muxado.last_stream", "Last stream", base.DEC),
    text = ProtoField.string("muxado.text", "Text"),
    data = ProtoField.bytes("muxado.data", "Payload"),
    body = ProtoField.bytes("muxado.body", "Body"),
    undissected = ProtoField.bytes("muxado.undissected", "Not dissected"),
    -- What follows from more than the frame itself.
    from = ProtoField.string("muxado.from", "Sent by"),
    stream_type = ProtoField.uint32("muxado.stream_type", "Stream type", base.DEC),
    credit = ProtoField.uint64("muxado.credit", "Credit", base.DEC),
    beat = ProtoField.uint32("muxado.beat", "Beat", base.HEX),
    echo = ProtoField.uint32("muxado.echo", "Echo", base.HEX),
    echo_in = ProtoField.framenum("muxado.echo_in", "Echo in", base.NONE, frametype.RESPONSE),
    beat_in = ProtoField.framenum("muxado.beat_in", "Beat in", base.NONE, frametype.REQUEST),
    rtt = ProtoField.relative_time("muxado.rtt", "Round trip"),
    follow = ProtoField.bytes("muxado.follow", "Followed"),
}
muxado.fields = fields

-- The rules that can be seen broken, by the last part of their filter name: muxado.malformed.stream and so on.
local ERROR, WARN, NOTE, CHAT = expert.severity.ERROR, expert.severity.WARN, expert.severity.NOTE, expert.severity.CHAT
local errors = {} -- what each rule says that is an error when it is broken
local function rule(name, severity, text)
    local group = name:find("^malformed") and expert.group.MALFORMED or expert.group.PROTOCOL
    local made = ProtoExpert.new("muxado." .. name, text, group, severity)
    if severity == ERROR then errors[made] = text end
    return made
end
local rules = {
    reserved_bit = rule("malformed.reserved_bit", ERROR, "the reserved bit is set (2.5)"),
    length = rule("malformed.length", ERROR, "a length that the type does not allow (2.11)"),
    stream = rule("malformed.stream", ERROR, "a stream id that the type does not allow (2.11)"),
    increment = rule("malformed.increment", ERROR, "an increment of 0 (2.8)"),
    lost = rule("malformed.lost", ERROR, "no frames from here on"),
    cut = rule("odd.cut", WARN, "no frames from here on: the capture has only a part of a packet"),
    parity = rule("broken.parity", ERROR, "SYN with an id of the other side (4.1)"),
    syn_live = rule("broken.syn_live", ERROR, "SYN for a stream that is live (4.6)"),
    never_opened = rule("broken.never_opened", ERROR, "the stream has not begun (4.11)"),
    after_fin = rule("broken.after_fin", ERROR, "payload after FIN (4.8)"),
    after_reset = rule("broken.after_reset", ERROR, "DATA after the sender's own RST (4.9)"),
    window = rule("broken.window", ERROR, "payload beyond the window (5.8)"),
    wrong_echo = rule("broken.wrong_echo", ERROR, "an echo that is not the beat (8.2)"),
    unknown = rule("odd.unknown_type", WARN, "unknown type, to be skipped; must not be sent (2.10)"),
    reused = rule("odd.id_reused", WARN, "the id has been used before (4.6)"),
    flags = rule("odd.flags", NOTE, "flags without a meaning (2.4)"),
    syn_fin = rule("odd.syn_fin", NOTE, "SYN and FIN in one frame; must not be sent (4.7)"),
    empty = rule("odd.empty", NOTE, "empty DATA without SYN or FIN means nothing (2.6)"),
    stray = rule("odd.stray", NOTE, "no stream to apply to; ignored (4.11)"),
    unasked_echo = rule("odd.unasked_echo", NOTE, "an echo without a beat (8.4)"),
    after_goaway = rule("odd.after_goaway", NOTE, "what cannot be understood after GOAWAY ends the session (6.9)"),
    full = rule("news.no_credit", CHAT, "the sender has no credit left on this stream (5.4)"),
    extra = rule("news.extra_credit", CHAT, "more than the initial window: extra credit (5.6)"),
    reset = rule("news.reset", NOTE, "stream reset"),
    goaway = rule("news.goaway", CHAT, "end of the session announced"),
    goaway_error = rule("news.goaway_error", WARN, "end of the session announced, with an error"),
}
muxado.experts = rules

muxado.prefs.tcp_ports = Pref.range("TCP ports", "", "Ports on which sessions are spoken over plain TCP", 65535)
muxado.prefs.tls_ports = Pref.range("TLS ports", "", "Ports on which sessions are spoken over TLS, without ALPN", 65535)
muxado.prefs.window = Pref.uint("Initial window", 262144, "Bytes that a new stream may carry before any WNDINC (5.2)")
muxado.prefs.typed = Pref.bool("Typed streams", false, "Whether all streams begin with a type of four bytes (7)")
muxado.prefs.follow = Pref.string("Follow", "", "Show the payload of one stream as muxado.follow: TCP stream/stream[/client or server]")

local tcp_stream = Field.new("tcp.stream")

-- By packet number: what was found out about each frame that ends in it.
local records
-- By TCP stream: the session as it stood when its last frame was first seen.
local sessions

function muxado.init()
    records, sessions = {}, {}
end

local function code_name(code)
    return CODES[code] or string.format("error code %u", code)
end

-- `bit` is Wireshark's own, whatever its Lua is. That of 4.4 and later has no `bit32`.
local function has(flags, flag)
    return bit.band(flags, flag) ~= 0
end

local function plural(n)
    return n == 1 and "1 byte" or n .. " bytes"
end

-- Text of the peer's, fit for a line.
local function quoted(text)
    if #text > 60 then
        local cut = 57
        -- Not inside a character.
        while cut > 54 and bit.band(text:byte(cut + 1), 0xc0) == 0x80 do cut = cut - 1 end
        text = text:sub(1, cut) .. "..."
    end
    return '"' .. text:gsub("[%c\"\\]", function(c) return string.format("\\x%02x", c:byte()) end) .. '"'
end

----------------------------------------------------------------------------------------------------------------------
-- Sessions: what is known of each, frame after frame.

local function session_of(pinfo)
    local from = tostring(pinfo.src) .. " " .. pinfo.src_port
    local found = { tcp_stream() }
    local key
    if #found > 0 then
        key = found[#found].value
    else
        local to = tostring(pinfo.dst) .. " " .. pinfo.dst_port
        key = from < to and from .. " " .. to or to .. " " .. from
    end
    local session = sessions[key]
    if not session then
        -- Directions are 1 and 2; the first to send is 1.
        session = { key = key, first = from, streams = {}, { frames = 0 }, { frames = 0 } }
        sessions[key] = session
    end
    return session, from == session.first and 1 or 2
end

local function read_header(tvb, offset)
    local head, id = tvb(offset + 3, 1):uint(), tvb(offset + 4, 4):uint()
    return {
        length = tvb(offset, 3):uint(),
        type = bit.rshift(head, 4),
        flags = bit.band(head, 0xf),
        reserved = id >= 0x80000000,
        stream = bit.band(id, 0x7fffffff),
    }
end

-- The rule that a header breaks by itself, and how.
local function malformed(header)
    local name = TYPES[header.type]
    if not name then return nil end
    local size = header.type == RST or header.type == WNDINC
    if size and header.length ~= 4 then
        return rules.length, name .. " must have a length of 4: FrameSizeError (2.11)"
    elseif header.type == GOAWAY and header.length < 8 then
        return rules.length, "GOAWAY must have a length of 8 or more: FrameSizeError (2.11)"
    elseif header.reserved then
        return rules.reserved_bit, "the reserved bit of the stream id is set: ProtocolError (2.5)"
    elseif header.type == GOAWAY and header.stream ~= 0 then
        return rules.stream, "GOAWAY must be on stream 0: ProtocolError (2.11)"
    elseif header.type ~= GOAWAY and header.stream == 0 then
        return rules.stream, name .. " must not be on stream 0: ProtocolError (2.11)"
    end
end

-- Why no frames can be found from this place on, if so.
local function lost(direction, tvb, offset)
    -- Of a packet that was captured in part nobody knows where its last frame ends, and there may be no header to look at.
    if tvb:len() < tvb:reported_len() then return "cut" end
    local header = read_header(tvb, offset)
    local bad = malformed(header)
    if direction.goaway and (bad or not TYPES[header.type]) then
        return "stray"
    elseif header.length > BELIEVED and (bad or not TYPES[header.type] and direction.frames == 0) then
        return "lost"
    end
end

local function new_stream(session, id, opener)
    local window = muxado.prefs.window
    local stream = {
        id = id, opener = opener, credit = { window, window }, fin = {}, rst = {}, beats = {}, parts = { {}, {} },
    }
    session.streams[id] = stream
    return stream
end

local function is_over(stream)
    return stream.rst[1] or stream.rst[2] or (stream.fin[1] and stream.fin[2])
end

-- Whether an id belongs to the side that sends in this direction; nil as long as nobody knows who is the client.
local function owns(session, direction, id)
    if not session.client then return nil end
    return (id % 2 == 1) == (session.client == direction)
end

-- Feeds bytes to what is read four at a time: `whole` gets the value of each four.
local function by_four(part, tvb, from, to, whole)
    for at = from, to - 1 do
        part.value = (part.value or 0) * 256 + tvb(at, 1):uint()
        part.have = (part.have or 0) + 1
        if part.have == 4 then
            local value = part.value
            part.value, part.have = nil, nil
            if whole(value, at + 1) then return at + 1 end
        end
    end
    return to
end

local function note(record, which, text)
    table.insert(record.notes, { which, text })
end

local function beats_of(record, stream, direction, tvb, from, pinfo)
    local to = tvb:len()
    by_four(stream.parts[direction], tvb, from, to, function(value)
        if direction == stream.opener then
            local beat = { value = value, sent = pinfo.rel_ts, number = pinfo.number }
            table.insert(stream.beats, beat)
            table.insert(record.beats, beat)
            return
        end
        local beat = table.remove(stream.beats, 1)
        if not beat then
            -- Once: they may come without end (8.4).
            if not stream.unasked then note(record, rules.unasked_echo) end
            stream.unasked = true
            return true
        end
        beat.echo_number = pinfo.number
        table.insert(record.echoes, { value = value, beat = beat, rtt = pinfo.rel_ts - beat.sent })
        if value ~= beat.value then
            note(record, rules.wrong_echo, string.format("the beat was 0x%08x, another value than its echo (8.2)", beat.value))
        end
    end)
end

-- Payload of a stream: its type, if the opener has not said it yet, then beats.
local function take_payload(record, stream, direction, tvb, pinfo)
    local from = HEADER
    if direction == stream.opener and not stream.type then
        from = by_four(stream.parts[direction], tvb, from, tvb:len(), function(value)
            stream.type = value
            return true
        end)
        -- It may have begun in a frame before.
        if stream.type then record.type_len = from - HEADER end
    end
    if stream.type == HEARTBEAT then beats_of(record, stream, direction, tvb, from, pinfo) end
end

local function take_syn(record, session, direction, header)
    local id = header.stream
    if not session.client then
        session.client = id % 2 == 1 and direction or 3 - direction
    elseif not owns(session, direction, id) then
        note(record, rules.parity)
    end
    local before = session.streams[id]
    if before and not before.never_opened then
        note(record, is_over(before) and rules.reused or rules.syn_live)
    end
    return new_stream(session, id, direction)
end

local function take_data(record, session, direction, header, tvb, pinfo)
    local syn, fin = has(header.flags, SYN), has(header.flags, FIN)
    local empty = header.length == 0
    local stream = session.streams[header.stream]
    if bit.band(header.flags, 0xc) ~= 0 then note(record, rules.flags) end
    if syn and fin then note(record, rules.syn_fin) end
    if syn then
        stream = take_syn(record, session, direction, header)
    elseif not stream then
        if empty and fin then
            record.filler = session[direction].goaway
            if not record.filler then note(record, rules.stray) end
            return
        end
        return "not begun"
    elseif empty and not fin then
        note(record, rules.empty)
    end
    record.stream = stream
    if stream.never_opened then return end
    if stream.rst[direction] then
        note(record, rules.after_reset)
    elseif stream.fin[direction] and not empty then
        note(record, rules.after_fin, "payload after FIN: RST StreamClosed (4.8)")
    end
    local credit = stream.credit[direction]
    if header.length > credit then
        local beyond = plural(header.length - credit)
        note(record, rules.window, beyond .. " beyond the window: RST FlowControlError (5.8)")
    else
        stream.credit[direction] = credit - header.length
        take_payload(record, stream, direction, tvb, pinfo)
        if not empty and credit == header.length then note(record, rules.full) end
    end
    record.credit = stream.credit[direction]
    stream.fin[direction] = stream.fin[direction] or fin
end

-- RST and WNDINC.
local function take_control(record, session, direction, header, value)
    local stream = session.streams[header.stream]
    if header.flags ~= 0 then note(record, rules.flags) end
    if header.type == WNDINC then
        -- The top bit is ignored.
        value = bit.band(value, 0x7fffffff)
        if value == 0 then return note(record, rules.increment, "an increment of 0: ProtocolError (2.8)") end
    end
    if not stream then
        -- Of the sender's own, which it may have dropped before anything was sent.
        if owns(session, direction, header.stream) ~= false then return note(record, rules.stray) end
        return "not begun"
    end
    record.stream = stream
    if header.type == RST then
        note(record, rules.reset, "stream reset: " .. code_name(value))
        stream.rst[direction] = true
    else
        local other = 3 - direction
        if value > muxado.prefs.window then note(record, rules.extra) end
        stream.credit[other] = stream.credit[other] + value
        record.credit = stream.credit[other]
    end
end

-- Says once of a stream that nobody saw it begin, or that this side may not speak of it at all.
local function not_begun(record, session, direction, header)
    local stream = new_stream(session, header.stream, direction)
    stream.never_opened = true
    record.stream = stream
    local theirs = owns(session, direction, header.stream) == false
    note(record, rules.never_opened, theirs and "the receiver has not opened this stream: ProtocolError (4.11)"
        or "the stream has not begun: RST StreamClosed (4.11)")
end

-- What a frame means, found out when it is first seen.
local function take_frame(record, session, direction, header, tvb, pinfo)
    session[direction].frames = session[direction].frames + 1
    local bad, how = malformed(header)
    if bad then return note(record, bad, how) end
    if not TYPES[header.type] then return note(record, rules.unknown) end
    local value = header.type ~= DATA and tvb:len() >= HEADER + 4 and tvb(HEADER, 4):uint()
    if header.type == GOAWAY then
        session[direction].goaway = true
        if header.flags ~= 0 then note(record, rules.flags) end
    elseif header.type == DATA then
        value = take_data(record, session, direction, header, tvb, pinfo)
    elseif value then
        value = take_control(record, session, direction, header, value)
    end
    if value == "not begun" then not_begun(record, session, direction, header) end
end

----------------------------------------------------------------------------------------------------------------------
-- Showing.

-- Which frame of its packet this is. Kept with the packet's own dissection, which may happen any number of times.
local function place(pinfo)
    return (tonumber(pinfo.private["muxado"]) or 0) + 1
end

local function side(record)
    local client = record.session.client
    return client and (client == record.direction and "client" or "server")
end

local function shown_type(stream)
    if stream and stream.type and (muxado.prefs.typed or stream.type == HEARTBEAT) then return stream.type end
end

-- What the Info column and the line of the frame say after the type.
local function summary(record, header, tvb)
    local words = {}
    local function say(...) table.insert(words, string.format(...)) end
    if header.type == DATA then
        if has(header.flags, SYN) then say("SYN") end
        if has(header.flags, FIN) then say("FIN") end
        if record.filler then say("filler") end
        local rest, kind = header.length, shown_type(record.stream)
        if kind and record.type_len then
            say(kind == HEARTBEAT and "heartbeat" or "type %d", kind)
            rest = rest - record.type_len
        end
        for _, beat in ipairs(record.beats) do say("beat %08x", beat.value) end
        for _, echo in ipairs(record.echoes) do say("echo %08x, %.3f ms", echo.value, echo.rtt * 1000) end
        if rest > 0 and #record.beats + #record.echoes == 0 then say("%s", plural(rest)) end
    elseif not TYPES[header.type] then
        say("%s", plural(header.length))
    elseif header.type == GOAWAY and tvb:len() >= HEADER + 8 and header.length >= 8 then
        say("last %d %s", bit.band(tvb(HEADER, 4):uint(), 0x7fffffff), code_name(tvb(HEADER + 4, 4):uint()))
        if tvb:len() > HEADER + 8 then say("%s", quoted(tvb(HEADER + 8):string(ENC_UTF_8))) end
    elseif header.length == 4 and tvb:len() >= HEADER + 4 then
        local value = tvb(HEADER, 4):uint()
        if header.type == RST then say("%s", code_name(value)) else say("+%d", bit.band(value, 0x7fffffff)) end
    end
    return table.concat(words, " ")
end

local function show_header(tree, header, tvb)
    tree:add(fields.length, tvb(0, 3))
    tree:add(fields.type, tvb(3, 1))
    local flags = tree:add(fields.flags, tvb(3, 1))
    if has(header.flags, SYN) then flags:append_text(", SYN") end
    if has(header.flags, FIN) then flags:append_text(", FIN") end
    for _, flag in ipairs({ "flag8", "flag4", "syn", "fin" }) do flags:add(fields[flag], tvb(3, 1)) end
    tree:add(fields.reserved, tvb(4, 1))
    tree:add(fields.stream, tvb(4, 4), header.stream)
end

local function show_body(tree, header, tvb)
    local have = tvb:len() - HEADER
    if have <= 0 then return end
    local body = tvb(HEADER, have)
    if header.type == DATA then
        tree:add(fields.data, body)
    elseif header.type == RST and header.length == 4 and have == 4 then
        tree:add(fields.error, body)
    elseif header.type == WNDINC and header.length == 4 and have == 4 then
        tree:add(fields.increment, body, bit.band(body:uint(), 0x7fffffff))
    elseif header.type == GOAWAY and header.length >= 8 and have >= 8 then
        tree:add(fields.last_stream, body(0, 4), bit.band(body(0, 4):uint(), 0x7fffffff))
        tree:add(fields.error, body(4, 4))
        if have > 8 then tree:add_packet_field(fields.text, body(8, have - 8), ENC_UTF_8) end
    else
        tree:add(fields.body, body)
    end
end

local function show_generated(tree, record, header, tvb)
    local function add(field, ...) return tree:add(field, ...):set_generated() end
    local from = side(record)
    if from then add(fields.from, from) end
    local kind = shown_type(record.stream)
    if kind then
        local item = add(fields.stream_type, kind)
        if kind == HEARTBEAT then item:append_text(", heartbeat") end
    end
    for _, beat in ipairs(record.beats) do
        add(fields.beat, beat.value)
        if beat.echo_number then add(fields.echo_in, beat.echo_number) end
    end
    for _, echo in ipairs(record.echoes) do
        add(fields.echo, echo.value)
        add(fields.beat_in, echo.beat.number)
        local seconds = math.floor(echo.rtt)
        add(fields.rtt, NSTime.new(seconds, math.floor((echo.rtt - seconds) * 1e9 + 0.5)))
    end
    if record.credit then
        local item = add(fields.credit, UInt64.new(record.credit % 2 ^ 32, math.floor(record.credit / 2 ^ 32)))
        item:append_text(header.type == WNDINC and " bytes that the receiver of this may send" or " bytes left to the sender")
    end
end

-- The stream that is to be followed: its session, its id, and its sender if only one is wanted.
local followed

local function is_followed(record, header)
    if not followed or header.type ~= DATA or header.stream ~= followed.stream then return false end
    return record.session.key == followed.session and (not followed.from or followed.from == side(record))
end

-- Errors are said in the Info column as well, without what a receiver does about them.
local function show_notes(tree, record)
    local said = ""
    for _, entry in ipairs(record.notes) do
        local which, text = entry[1], entry[2] or errors[entry[1]]
        tree:add_proto_expert_info(table.unpack(entry))
        if errors[which] then said = said .. " !! " .. text:gsub("[:(].*", ""):gsub(" $", "") end
    end
    return said
end

local function show_undissected(tree, record, tvb)
    local item = tree:add(fields.undissected, tvb())
    if record.lost == "stray" then
        item:add_proto_expert_info(rules.after_goaway)
        return "stray bytes after GOAWAY"
    end
    if record.lost == "cut" then
        item:add_proto_expert_info(rules.cut)
        return "not captured whole"
    end
    item:add_proto_expert_info(rules.lost, "no frames from here on: not muxado, or its sender has lost its place")
    return "not dissected"
end

local function show_frame(tree, record, tvb)
    local header = read_header(tvb, 0)
    local name = TYPES[header.type] or "type " .. header.type
    show_header(tree, header, tvb)
    show_body(tree, header, tvb)
    show_generated(tree, record, header, tvb)
    if header.type == GOAWAY and tvb:len() >= HEADER + 8 and header.length >= 8 then
        local code = tvb(HEADER + 4, 4):uint()
        tree:add_proto_expert_info(code == 0 and rules.goaway or rules.goaway_error, "end of the session announced: " .. code_name(code))
    end
    if is_followed(record, header) and tvb:len() > HEADER then
        tree:add(fields.follow, tvb(HEADER)):set_generated()
    end
    local said = summary(record, header, tvb)
    tree:append_text(string.format(", %s, stream %d%s", name, header.stream, said == "" and "" or ", " .. said))
    if header.type ~= GOAWAY or header.stream ~= 0 then name = string.format("%s[%d]", name, header.stream) end
    return said == "" and name or name .. " " .. said
end

----------------------------------------------------------------------------------------------------------------------
-- The way from TCP to frames.

local function record_of(pinfo, index)
    local here = records[pinfo.number]
    return here and here[index]
end

-- How many bytes the frame at `offset` has, header included; all that are left if they are no frames.
local function frame_len(tvb, pinfo, offset)
    local rest = tvb:reported_length_remaining(offset)
    local function frame() return HEADER + read_header(tvb, offset).length end
    if pinfo.visited then
        local record = record_of(pinfo, place(pinfo))
        return record and record.lost and rest or frame()
    end
    local session, number = session_of(pinfo)
    local direction = session[number]
    direction.lost = direction.lost or lost(direction, tvb, offset)
    return direction.lost and rest or frame()
end

local function dissect_frame(tvb, pinfo, root)
    local index = place(pinfo)
    pinfo.private["muxado"] = tostring(index)
    local record = record_of(pinfo, index)
    if not record then
        local session, direction = session_of(pinfo)
        record = { session = session, direction = direction, notes = {}, beats = {}, echoes = {} }
        record.lost = session[direction].lost
        if not record.lost then take_frame(record, session, direction, read_header(tvb, 0), tvb, pinfo) end
        records[pinfo.number] = records[pinfo.number] or {}
        records[pinfo.number][index] = record
    end
    local tree = root:add(muxado, tvb())
    local info
    if record.lost then
        info = show_undissected(tree, record, tvb)
    else
        info = show_frame(tree, record, tvb) .. show_notes(tree, record)
    end
    pinfo.cols.protocol = "muxado"
    if index == 1 then
        pinfo.cols.info = info
    else
        pinfo.cols.info:append(", " .. info)
    end
    return tvb:len()
end

function muxado.dissector(tvb, pinfo, root)
    dissect_tcp_pdus(tvb, root, HEADER, frame_len, dissect_frame)
    return tvb:len()
end

local tcp, tls = DissectorTable.get("tcp.port"), DissectorTable.get("tls.port")
tcp:add_for_decode_as(muxado)
tls:add_for_decode_as(muxado)
DissectorTable.get("tls.alpn"):add("muxado/2", muxado)

local function follow(what)
    local session, stream, from = what:match("^%s*(%d+)/(%d+)/?(%a*)%s*$")
    followed = session and { session = tonumber(session), stream = tonumber(stream), from = from ~= "" and from or nil }
    return followed
end

local bound = { tcp = "", tls = "" }

function muxado.prefs_changed()
    for _, entry in ipairs({ { "tcp", tcp }, { "tls", tls } }) do
        local name, ports = entry[1], entry[2]
        if bound[name] ~= "" then ports:remove(bound[name], muxado) end
        bound[name] = tostring(muxado.prefs[name .. "_ports"])
        if bound[name] ~= "" then ports:add(bound[name], muxado) end
    end
    follow(muxado.prefs.follow)
end
