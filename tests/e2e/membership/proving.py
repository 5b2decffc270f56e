"""proving - would the other stories notice? Their checks, where something is wrong."""
from client import Client, Session, key_path
from membership.ground import Data, serving_cluster
from membership.losing import check_told_once
from slot import key_in

SMALL = 500


class Silent:
    """Takes checks, as a Report does, and only counts."""

    def __init__(self):
        self.failed = 0

    def check(self, good, what, detail=""):
        self.failed += not good
        return bool(good)


def checks(report, options):
    """What is missing, changed or never told is noticed."""
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, SMALL)
        data.load(report)
        report.equal(data.wrong_at(cluster[0]), [], "nothing is wrong at first")
        session = Session(Client(), data.token)
        session.delete(cluster.at, data.keys[7])
        session.put(cluster.at, data.keys[8], "another")
        data.token = session.token
        wrong = [sentence.split(":")[0] for sentence in data.wrong_at(cluster[5])]
        report.equal(wrong, data.keys[7:9], "a key that is gone and one that is changed are named")
        silent = Silent()
        check_told_once(silent, cluster, cluster[0], key_in(0, "told-"), session.token, "nothing")
        report.check(silent.failed > 0, "it is noticed when nobody tells of a loss")
        cluster[5].kill()
        report.check(data.wrong_at(cluster[5]) != [], "a node that does not answer is noticed")
        answer = session.client.get(cluster.at[0], key_path(data.keys[7]),
                                    {"Causal-Context": session.token})
        report.equal(answer.status, 404, "and the others go on")
        session.client.close()
