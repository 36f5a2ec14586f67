"""web-server.py PORT -- a FHIR-like server with a few resources, chunked and compressed answers, a SOAP end, and a place for files.
Nothing in it belongs to anyone; TESTCANARY and its like must not come out of the sensor."""
import gzip
import http.server
import sys

CDA = b'<?xml version="1.0"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><title>TESTCANARY</title></ClinicalDocument>\n'
PATIENT = b'{"resourceType":"Patient","id":"TESTCANARY","name":[{"family":"TESTCANARY"}]}'
BUNDLE = b'{"resourceType":"Bundle","type":"searchset","total":1,"entry":[{"resource":' + PATIENT + b"}]}"
V3 = b'<PRPA_IN201306UV02 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0"><id extension="TESTCANARY"/></PRPA_IN201306UV02>'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "TestFhir/1.0"

    def say(self, status, kind, body, chunked=False, compressed=False):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if compressed:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 30]), body[i:i + 30]) for i in range(0, len(body), 30)) + b"0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        path = self.path.split("?")[0]
        if not self.headers.get("Authorization") and path.startswith("/fhir/Observation"):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Bearer realm="TESTCANARY"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/fhir/metadata":
            self.say(200, "application/fhir+json; fhirVersion=4.0", b'{"resourceType":"CapabilityStatement"}', chunked=True)
        elif path.startswith("/fhir/Patient/missing"):
            self.say(404, "application/fhir+json", b'{"resourceType":"OperationOutcome"}')
        elif path.startswith("/fhir") and "?" in self.path:
            self.say(200, "application/fhir+json", BUNDLE, chunked=True, compressed=True)
        elif path.startswith("/fhir"):
            self.say(201 if self.command == "POST" else 200, "application/fhir+json", PATIENT)
        elif path == "/cda":
            self.say(200, "application/hl7-cda+xml", CDA, compressed=True)
        elif path == "/pix":
            self.say(200, "application/soap+xml", V3)
        elif path.endswith(".dcm"):
            self.say(200, "application/dicom", open(sys.argv[2] + path, "rb").read())
        else:
            self.say(200, "text/html", b"<html></html>")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_any

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
