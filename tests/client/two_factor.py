"""Two-factor authentication with other people's tools: pyotp is the app, zxing reads its picture. The address of the API is in the environment."""

import json
import os
import re
import time
import urllib.error
import urllib.request
import uuid

import pyotp
import zxingcpp

API = os.environ["BALCAO_API"]
PASSWORD = "girafa-azul-42-lenta"


def call(method, path, body=None, token=None):
    request = urllib.request.Request(API + path, method=method, data=None if body is None else json.dumps(body).encode())
    if body is not None:
        request.add_header("content-type", "application/json")
    if token:
        request.add_header("authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def post(path, body=None, token=None, status=200):
    found, answer = call("POST", path, body, token)
    assert found == status, (path, found, answer)
    return answer


def read_picture(svg):
    """What a camera reads in a picture whose dark modules are rectangles of one path."""
    side, scale = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1]), 4
    white = bytearray(b"\xff" * (side * scale) ** 2)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        for line in range(int(y) * scale, (int(y) + 1) * scale):
            start = line * side * scale + int(x) * scale
            white[start:start + int(width) * scale] = bytes(int(width) * scale)
    image = memoryview(bytes(white)).cast("B", shape=[side * scale, side * scale])
    return zxingcpp.read_barcode(image).text


email = f"otp.{uuid.uuid4().hex}@example.com"
person = {"name": "Olívia Tavares", "email": email, "password": PASSWORD, "company_name": "Escola do Código"}
post("/auth/register", person, status=202)
login = {"email": email, "password": PASSWORD}
token = post("/auth/login", login)["access_token"]

set_up = post("/auth/2fa/setup", token=token)
assert read_picture(set_up["qr_svg"]) == set_up["otpauth_uri"]
app = pyotp.parse_uri(set_up["otpauth_uri"])
assert (app.secret, app.digits, app.interval, app.issuer) == (set_up["secret"], 6, 30, "Balcão"), vars(app)
assert app.name == email
# Neither a clock that is wrong nor another secret.
for wrong in [app.at(time.time() - 120), app.at(time.time() + 120), pyotp.TOTP(pyotp.random_base32()).now()]:
    assert post("/auth/2fa/enable", {"code": wrong}, token, 403)["code"] == "code_wrong"
recovery_codes = post("/auth/2fa/enable", {"code": app.now()}, token)["recovery_codes"]
assert len(set(recovery_codes)) == 10

challenge = post("/auth/login", login)["challenge"]
# A clock that is half a minute ahead.
signed_in = post("/auth/login/verify", {"challenge": challenge, "code": app.at(time.time() + 30)})
assert signed_in["user"]["email"] == email
challenge = post("/auth/login", login)["challenge"]
assert post("/auth/login/verify", {"challenge": challenge, "code": app.now()}, status=401)["code"] == "code_wrong"
post("/auth/login/verify", {"challenge": challenge, "code": recovery_codes[0]})
print("two-factor authentication works with pyotp and zxing")
