// server.js PORT -- node-hl7-server: answers AA to every message, AE to those whose control id ends in X.
'use strict';
const { Server } = require('node-hl7-server');

const port = Number(process.argv[2]);
const server = new Server();
const listener = server.createInbound({ port }, async (req, res) => {
	const id = req.getMessage().get('MSH.10').toString();
	await res.sendResponse(id.endsWith('X') ? 'AE' : 'AA');
});
listener.on('error', (e) => { console.error(String(e)); });
