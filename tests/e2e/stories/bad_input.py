"""x"""


def run(report, cluster):
    pass
