"""A Spark of a container's own: small, quiet, and on this machine only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from .closures import ClosureError

OLDEST_JAVA = 17
INSTALL_JAVA = f"install Java {OLDEST_JAVA} or later (on Debian: openjdk-17-jre-headless), or point JAVA_HOME to it"

_LOGGING = Path(__file__).with_name("log4j2-errors.properties")

_SETTINGS: Dict[str, str] = {
    "spark.app.name": "model_container",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # A batch is small: more partitions, and plans that change while they run, would cost more than they give.
    "spark.default.parallelism": "1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    # Of a failure the caller gets the cause, not a page of where in Spark it came about.
    "spark.sql.pyspark.jvmStacktrace.enabled": "false",
}


def start(master: str, stated: Mapping[str, str]) -> SparkSession:
    """Starts Spark; what is stated beats the settings that are made for batches.

    :raises ClosureError: without a Java that Spark can use.
    """
    check_java()
    conf = SparkConf(loadDefaults=False).setMaster(master).setAll(list(_SETTINGS.items()))
    options = f'-Dlog4j2.configurationFile="{_LOGGING.as_uri()}"'
    conf.set("spark.driver.extraJavaOptions", f"{options} {stated.get('spark.driver.extraJavaOptions', '')}".strip())
    conf.setAll([(key, value) for key, value in stated.items() if key != "spark.driver.extraJavaOptions"])
    try:
        # In a session of its own, so that a signal to the container's process group leaves it Spark to answer the
        # batches in hand. It ends when this process does: the pipe that it reads from is closed then.
        gateway = launch_gateway(conf, {"start_new_session": True})  # type: ignore[no-untyped-call,unused-ignore]
        return SparkSession(SparkContext(conf=conf, gateway=gateway))
    except Exception as error:
        raise ClosureError(f"Spark did not start: {error}") from error


def check_java() -> None:
    """Spark's own complaint about a missing or an old Java is hard to read.

    :raises ClosureError: if there is none, or one that is too old.
    """
    home = os.environ.get("JAVA_HOME")
    java: Optional[str] = os.path.join(home, "bin", "java") if home else shutil.which("java")
    if java is None:
        raise ClosureError(f"there is no java on the PATH, and Spark needs it: {INSTALL_JAVA}")
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        where = f" (from JAVA_HOME={home})" if home else ""
        raise ClosureError(f"{java}{where} does not run, and Spark needs it ({error}): {INSTALL_JAVA}") from None
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    if found is not None and int(found[1]) < OLDEST_JAVA:
        raise ClosureError(f"{java} is Java {found[1]}, and Spark needs {OLDEST_JAVA} or later: {INSTALL_JAVA}")


def has_died(spark: SparkSession) -> bool:
    """Whether the Java process is gone."""
    process: Any = getattr(spark.sparkContext._gateway, "proc", None)
    return process is not None and process.poll() is not None
