"""Whether a supported Kubernetes takes an object, by the schemas of kubernetes-validate."""

import functools

import kubernetes_validate
import kubernetes_validate.utils

VERSIONS = ["1.33", "1.34", "1.35", "1.36"]
Refused = kubernetes_validate.ValidationError

# It reads megabytes of schemas anew for each object.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


def validate(item, version):
    """Raises Refused where the version does not take the object; keys that it does not know are refused too."""
    kubernetes_validate.utils.validate(item, version, strict=True)
