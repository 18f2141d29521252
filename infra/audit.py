"""Known vulnerabilities of the locked packages: `python -m infra.audit UVX LOCK...`.

pip-audit asks PyPI's JSON API. A mirror may have the packages and not that data; then nothing was audited, and this
says so with another exit code than a vulnerability has.
"""

import json
import subprocess
import sys

PIP_AUDIT = "pip-audit==2.10.1"
LIMIT_S = 600
FOUND, UNREACHABLE = 1, 3


def main(arguments: list[str]) -> int:
    """Audit each lock and print what was found. Returns 0, FOUND, or UNREACHABLE if a package had no data."""
    uvx, *locks = arguments
    vulnerable, unknown = False, 0
    for lock in locks:
        command = [uvx, "--quiet", "--from", PIP_AUDIT, "pip-audit", "--format", "json", "--progress-spinner", "off"]
        options = ["--requirement", lock, "--require-hashes", "--disable-pip"]
        done = subprocess.run([*command, *options], check=False, capture_output=True, text=True, timeout=LIMIT_S)
        try:
            packages = json.loads(done.stdout)["dependencies"]
        except ValueError:
            last = done.stderr.strip().splitlines()[-1:]
            print(f"{lock}: not audited. {' '.join(last)}")
            unknown += 1
            continue
        skipped = [package["name"] for package in packages if "skip_reason" in package]
        unknown += len(skipped)
        print(f"{lock}: {len(packages) - len(skipped)} packages audited, {len(skipped)} without data.")
        for package in packages:
            for found in package.get("vulns", ()):
                vulnerable = True
                fixed = ", ".join(found["fix_versions"]) or "no version yet"
                print(f"  {package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    if unknown:
        print("The data about vulnerabilities cannot be reached from here, or not for every package: see above.")
    return FOUND if vulnerable else UNREACHABLE if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
