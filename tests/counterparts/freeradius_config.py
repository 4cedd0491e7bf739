"""FreeRADIUS as a counterpart: its configuration, and the access server's memory as tables beside FreeRADIUS's own."""

RADIUSD_CONF = """
name = radiusd
raddbdir = {folder}
logdir = {folder}
run_dir = {folder}
libdir = /usr/lib/freeradius
modconfdir = {modconfdir}
max_request_time = 10
cleanup_delay = 1
hostname_lookups = no
proxy_requests = no
log {{ destination = stdout }}
security {{
  max_attributes = 200
  reject_delay = {reject_delay}
  status_server = no
}}
thread pool {{
  start_servers = 4
  max_servers = 16
  min_spare_servers = 2
  max_spare_servers = 8
  max_requests_per_server = 0
}}
client loopback {{
  ipaddr = 127.0.0.1
  secret = {secret}
}}
modules {{
  always ok {{ rcode = ok }}
  always reject {{ rcode = reject }}
  always handled {{ rcode = handled }}
  expr {{ }}
  pap {{ }}
  sql {{
    dialect = "postgresql"
    driver = "rlm_sql_postgresql"
    radius_db = "{conninfo}"
    auto_escape = yes
    acct_table1 = "radacct"
    acct_table2 = "radacct"
    postauth_table = "radpostauth"
    authcheck_table = "radcheck"
    groupcheck_table = "radgroupcheck"
    authreply_table = "radreply"
    groupreply_table = "radgroupreply"
    usergroup_table = "radusergroup"
    client_table = "nas"
    read_clients = no
    delete_stale_sessions = yes
    group_attribute = "SQL-Group"
    pool {{
      start = 2
      min = 1
      max = 16
      spare = 2
      uses = 0
      retry_delay = 1
      lifetime = 0
      idle_timeout = 0
    }}
    $INCLUDE ${{modconfdir}}/sql/main/postgresql/queries.conf
  }}
}}
server broadband {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {auth_port}
  }}
  listen {{
    type = acct
    ipaddr = 127.0.0.1
    port = {acct_port}
  }}
  authorize {{
    sql
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
  }}
  preacct {{
    update request {{
      &Acct-Unique-Session-Id := "%{{md5:%{{User-Name}},%{{Acct-Session-Id}},%{{NAS-IP-Address}}}}"
    }}
  }}
  accounting {{
    sql
  }}
}}
# The access server: it hears CoA and Disconnect, knows its sessions, and answers as the tests tell it to.
server nas {{
  listen {{
    type = coa
    ipaddr = 127.0.0.1
    port = {coa_port}
  }}
  recv-coa {{
    update control {{
      &Tmp-String-0 := "%{{sql:SELECT nas_answer('%{{Packet-Type}}', '%{{User-Name}}', '%{{Acct-Session-Id}}', \
'%{{Filter-Id}}', '%{{Mikrotik-Rate-Limit}}', '%{{WISPr-Redirection-URL}}')}}"
    }}
    if (&control:Tmp-String-0 == "mute") {{
      update control {{
        &Response-Packet-Type := Do-Not-Respond
      }}
      handled
    }}
    elsif (&control:Tmp-String-0 == "ack") {{
      ok
    }}
    else {{
      update reply {{
        &Error-Cause := "%{{control:Tmp-String-0}}"
      }}
      reject
    }}
  }}
}}
"""

# What an access server keeps in memory. A CoA replaces a session's attributes as a whole.
NAS_SQL = """
CREATE TABLE nas_session (
    session_id text PRIMARY KEY, username text NOT NULL, attributes jsonb NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(), stopped_at timestamptz);
CREATE INDEX nas_session_username ON nas_session (username);
CREATE TABLE nas_orders (id bigserial PRIMARY KEY, answer text NOT NULL);
CREATE TABLE nas_silence (until timestamptz NOT NULL);
CREATE TABLE nas_heard (
    id bigserial PRIMARY KEY, packet text NOT NULL, username text NOT NULL, session_id text NOT NULL,
    answer text NOT NULL);
CREATE INDEX radacct_open_user_idx ON radacct (username) WHERE acctstoptime IS NULL;

CREATE FUNCTION nas_act(packet text, who text, session text, given jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE ordered text;
BEGIN
    IF EXISTS (SELECT FROM nas_silence WHERE until > clock_timestamp()) THEN RETURN 'mute'; END IF;
    DELETE FROM nas_orders WHERE id = (SELECT min(id) FROM nas_orders) RETURNING answer INTO ordered;
    IF ordered IS NOT NULL THEN RETURN ordered; END IF;
    UPDATE nas_session
       SET attributes = CASE packet WHEN 'CoA-Request' THEN given ELSE attributes END,
           stopped_at = CASE packet WHEN 'Disconnect-Request' THEN clock_timestamp() END
     WHERE session_id = session AND username = who AND stopped_at IS NULL;
    IF NOT FOUND THEN RETURN '503'; END IF;
    PERFORM pg_notify('nas_accounting', json_build_object('username', who, 'session', session,
        'status', CASE packet WHEN 'CoA-Request' THEN 'Interim-Update' ELSE 'Stop' END)::text);
    RETURN 'ack';
END $$;

CREATE FUNCTION nas_answer(packet text, who text, session text, filter text, rate text, url text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text;
BEGIN
    said := nas_act(packet, who, session, jsonb_strip_nulls(jsonb_build_object('Filter-Id', nullif(filter, ''),
        'Mikrotik-Rate-Limit', nullif(rate, ''), 'WISPr-Redirection-URL', nullif(url, ''))));
    INSERT INTO nas_heard (packet, username, session_id, answer) VALUES (packet, who, session, said);
    RETURN said;
END $$;
"""

PROFILE = "fiber-100"
GROUPS = {"limited": "limited", "walled_garden": "walled-garden", "off": "off"}
REPLIES = [
    (PROFILE, "Filter-Id", "fiber-100"),
    (PROFILE, "Mikrotik-Rate-Limit", "100M/100M"),
    ("limited", "Filter-Id", "limited"),
    ("limited", "Mikrotik-Rate-Limit", "2M/2M"),
    ("walled-garden", "Filter-Id", "walled-garden"),
    ("walled-garden", "Mikrotik-Rate-Limit", "512k/512k"),
    ("walled-garden", "WISPr-Redirection-URL", "http://pay.example.no/?from=garden"),
    ("off", "Reply-Message", "Closed for arrears"),
]
