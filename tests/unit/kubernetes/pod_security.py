"""The level `restricted` of the Pod Security Standards, written down once more, as Kubernetes documents it.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted (and what it includes of `baseline`).
"""

PODS = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"],
        ("spec", "template", "spec"),
    ),
}
VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("persistentVolumeClaim", "projected", "secret"),
}


def pod_of(document):
    """Return the pod of an object; None when it has none."""
    found = document if document["kind"] in PODS else None
    for step in PODS.get(document["kind"], ()):
        found = found[step]
    return found


def violations(document):
    """Return in words what the admission of Kubernetes would refuse about an object's pods."""
    pod = pod_of(document)
    if pod is None:
        return []
    found = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    found += [f"volume {key}" for volume in pod.get("volumes", ()) for key in volume.keys() - {"name"} - VOLUMES]
    found += [f"sysctl {entry['name']}" for entry in pod.get("securityContext", {}).get("sysctls", ())]
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for container in pod.get(key, ()):
            found += _of_container(container, pod.get("securityContext") or {})
    return found


def _of_container(container, pod):
    own = container.get("securityContext") or {}
    capabilities = own.get("capabilities") or {}
    profile = (own.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type")
    broken = {
        "privileged": bool(own.get("privileged")),
        "escalation": own.get("allowPrivilegeEscalation") is not False,
        "runAsNonRoot": own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True,
        "runAsUser": own.get("runAsUser", pod.get("runAsUser")) == 0,
        "seccomp": profile not in ("RuntimeDefault", "Localhost"),
        "drop": "ALL" not in capabilities.get("drop", ()),
        "add": not set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"},
        "hostPort": any(port.get("hostPort") for port in container.get("ports", ())),
    }
    return [f"{container['name']}: {name}" for name, is_broken in broken.items() if is_broken]
