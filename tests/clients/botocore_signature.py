"""Signs a request as botocore does, at the moment that the request itself names; prints its Authorization header."""

import datetime
import json
import sys

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

asked = json.load(sys.stdin)
first, *lines = asked["head"].splitlines()
headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
moment = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
# botocore has no other way to sign for a moment that has passed.
auth.get_current_datetime = lambda *_, **__: moment

signed = [name for name in headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")]
request = AWSRequest(
    method="POST",
    url=asked["origin"] + first.split(" ")[1],
    headers={name: headers[name] for name in signed if name not in ("host", "x-amz-date")},
    data=asked["body"].encode(),
)
signer = auth.SigV4Auth(Credentials("local", "local"), "bedrock", asked["region"])
signer.add_auth(request)
assert request.headers["X-Amz-Date"] == headers["x-amz-date"], "the clock was not set"
print(json.dumps({"authorization": request.headers["Authorization"]}))
