// An SMSC on the npm package `smpp`, driven over stdin and stdout by tests/counterparts/smsc.py: one JSON object a line.
// Commands carry an `id` and are answered with the same; everything else on stdout is an event.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

const say = (object) => { if (!state.quiet || object.id !== undefined && object.event === 'answer') tell(object); };
const tell = (object) => process.stdout.write(JSON.stringify(object) + '\n');
const login = JSON.parse(process.argv[2]); // {system_id, password}
const RECEIPT_STATES = {DELIVRD: 2, EXPIRED: 3, UNDELIV: 5, ACCEPTD: 6, REJECTD: 8};

const bound = new Set();
const state = {receipts: true, finals: {}, refusals: [], mutedUntil: 0, textReceipts: false, quiet: false, delay: 0};
const unacknowledged = new Map(); // deliver_sm that no client has answered for: they come again at the next bind
let lastMessage = 0;
let lastDelivery = 0;

const isMuted = () => Date.now() < state.mutedUntil;

function answer(session, pdu, fields) {
  if (isMuted()) return;
  if (state.delay && pdu.command === 'submit_sm') setTimeout(() => session.send(pdu.response(fields)), state.delay);
  else session.send(pdu.response(fields));
}

function deliver(entry) {
  unacknowledged.set(entry.number, entry);
  const session = [...bound].at(-1);
  if (session && !isMuted()) attempt(session, entry);
}

function attempt(session, entry) {
  say({event: 'delivering', number: entry.number});
  session.deliver_sm({...entry.fields}, (response) => {
    say({event: 'acknowledged', number: entry.number, status: response.command_status});
    if (response.command_status === 0) unacknowledged.delete(entry.number);
    else setTimeout(() => bound.has(session) && attempt(session, entry), 100);
  });
}

function receipt(id, pdu) {
  const stat = state.finals[pdu.destination_addr] || 'DELIVRD';
  const delivered = stat === 'DELIVRD' ? '001' : '000';
  const text = `id:${id} sub:001 dlvrd:${delivered} submit date:2611210000 done date:2611210001 stat:${stat} err:000 text:`;
  const tlvs = state.textReceipts ? {} : {receipted_message_id: id, message_state: RECEIPT_STATES[stat]};
  deliver({
    number: ++lastDelivery,
    fields: {
      esm_class: 4, source_addr: pdu.destination_addr, source_addr_ton: 1, destination_addr: pdu.source_addr,
      short_message: text, ...tlvs,
    },
  });
}

function submit(session, pdu) {
  const refusal = state.refusals.shift() || 0;
  if (refusal) {
    say({event: 'refused', to: pdu.destination_addr, status: refusal});
    return answer(session, pdu, {command_status: refusal});
  }
  const id = `id${++lastMessage}`;
  const udh = pdu.short_message.udh && pdu.short_message.udh[0];
  say({
    event: 'message', id, from: pdu.source_addr, from_ton: pdu.source_addr_ton, to: pdu.destination_addr,
    to_ton: pdu.dest_addr_ton, data_coding: pdu.data_coding, text: pdu.short_message.message,
    registered_delivery: pdu.registered_delivery, validity_period: pdu.validity_period,
    reference: udh ? udh[2] : 0, total: udh ? udh[3] : 1, part: udh ? udh[4] : 1,
  });
  answer(session, pdu, {message_id: id});
  if (state.receipts && pdu.registered_delivery & 1) setTimeout(() => receipt(id, pdu), 5);
}

function bind(session, pdu) {
  if (isMuted()) return;
  if (pdu.system_id !== login.system_id || pdu.password !== login.password) {
    session.send(pdu.response({command_status: smpp.ESME_RINVPASWD}));
    say({event: 'login_refused'});
    return session.close();
  }
  session.send(pdu.response({system_id: 'npm-smsc'}));
  bound.add(session);
  say({event: 'bound'});
  for (const entry of unacknowledged.values()) attempt(session, entry);
}

const server = smpp.createServer({}, (session) => {
  session.on('error', (error) => say({event: 'error', message: error.message}));
  session.on('close', () => { if (bound.delete(session)) say({event: 'unbound'}); });
  session.on('bind_transceiver', (pdu) => bind(session, pdu));
  session.on('enquire_link', (pdu) => { say({event: 'enquire_link'}); answer(session, pdu); });
  session.on('unbind', (pdu) => { answer(session, pdu); session.close(); });
  session.on('submit_sm', (pdu) => submit(session, pdu));
});

function userData(text, part, total) {
  if (total === 1) return {short_message: text};
  return {esm_class: 0x40, short_message: {udh: Buffer.from([5, 0, 3, 7, total, part]), message: text}};
}

const commands = {
  nothing() {},
  throttle({count, status}) { for (let i = 0; i < count; i++) state.refusals.push(status); },
  final({number, stat}) { state.finals[number] = stat; },
  receipts({on, as_text}) { state.receipts = on; state.textReceipts = as_text; },
  quiet({on}) { state.quiet = on; },
  delay({seconds}) { state.delay = seconds * 1000; },
  mute({seconds}) { state.mutedUntil = Date.now() + seconds * 1000; },
  drop() { for (const session of bound) session.destroy(); },
  ask() { for (const session of bound) session.enquire_link({}, () => say({event: 'enquire_link_answered'})); },
  mo({from, to, text, part, total, data_coding}) {
    deliver({
      number: ++lastDelivery,
      fields: {
        source_addr: from, source_addr_ton: 1, source_addr_npi: 1, destination_addr: to, data_coding,
        ...userData(text, part, total),
      },
    });
  },
};

readline.createInterface({input: process.stdin}).on('line', (line) => {
  const command = JSON.parse(line);
  commands[command.do](command);
  say({event: 'answer', id: command.id, messages: lastMessage});
}).on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => say({event: 'listening', port: server.address().port}));
