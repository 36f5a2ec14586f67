// client.js HOST PORT CASE [NUMBER] -- node-hl7-client sends a message that it builds itself.
'use strict';
const { Client, Message, Batch } = require('node-hl7-client');

const [host, port, what] = [process.argv[2], Number(process.argv[3]), process.argv[4]];

function message(type, event, id, segments) {
	const m = new Message({
		messageHeader: { msh_9_1: type, msh_9_2: event, msh_10: id, msh_11_1: 'P' },
	});
	m.set('MSH.3', 'NODE');
	m.set('MSH.4', 'WARD');
	m.set('MSH.5', 'ENGINE');
	m.set('MSH.6', 'HOSP');
	m.set('MSH.7', '20261122090000');
	for (const [name, fields] of segments) {
		const s = m.addSegment(name);
		fields.forEach((f, i) => { if (f) s.set(String(i + 1), f); });
	}
	return m;
}

const patient = ['PID', ['1', '', 'TESTID-3', '', 'TESTCANARY']];
const oru = (i) => message('ORU', 'R01', 'NODE001' + i, [patient, ['OBR', [String(i)]], ['OBX', ['1', 'NM', 'HR', '',
	String(70 + i)]]]);
const cases = {
	adt: () => message('ADT', 'A01', 'NODE0001', [['EVN', ['A01', '20261122090000']], patient]),
	oru: () => oru(Number(process.argv[5])),
	refused: () => message('ADT', 'A08', 'NODE002X', [patient]),
	batch: () => {
		const b = new Batch();
		b.start();
		b.set('BHS.7', '20261122090000');
		for (const i of [1, 2, 3]) b.add(oru(i));
		b.end();
		return b;
	},
};

// The server ends the connection after an answer: one message (or batch) each time.
const client = new Client({ host });
let sent = false;
const out = client.createConnection({ port, waitAck: false }, async () => { setTimeout(() => process.exit(0), 300); });
out.on('error', (e) => { console.error(String(e)); process.exit(1); });
out.on('connect', async () => {
	if (!sent) {
		sent = true;
		await out.sendMessage(cases[what]());
	}
});
setTimeout(() => process.exit(1), 15000);
