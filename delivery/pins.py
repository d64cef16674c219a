"""The versions everything runs with, and the digests that prove them."""

from typing import Final

TERRAFORM_VERSION: Final = "1.11.4"
PROVIDER_VERSION: Final = "5.100.0"
"""Of hashicorp/aws; ``.terraform.lock.hcl`` beside every stack holds its digests."""

PYTHON: Final = (3, 13)
"""The Lambda runtime's version: byte-code of another minor version would be ignored there."""

TERRAFORM_SHA256: Final = {
    "linux_amd64": "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
    "linux_arm64": "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
    "darwin_amd64": "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
    "darwin_arm64": "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
}
"""SHA-256 of the release's zip by platform, as HashiCorp publishes them."""
