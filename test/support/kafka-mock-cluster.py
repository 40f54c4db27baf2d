"""A cluster of Kafka in memory: the mock of librdkafka, with a line of text for each thing it is to do. It is gone when its input ends.

Usage: python3 kafka-mock-cluster.py <number of brokers>. The first line that it writes has the brokers; each command is answered by one.
"""

import ctypes as C
import sys

k = C.CDLL("librdkafka.so.1")
pointer, text, number, short = C.c_void_p, C.c_char_p, C.c_int, C.c_int16


def declare(name, result, *arguments):
    function = getattr(k, name)
    function.restype = result
    function.argtypes = arguments
    return function


conf_new = declare("rd_kafka_conf_new", pointer)
new = declare("rd_kafka_new", pointer, number, pointer, text, C.c_size_t)
cluster_new = declare("rd_kafka_mock_cluster_new", pointer, pointer, number)
bootstraps = declare("rd_kafka_mock_cluster_bootstraps", text, pointer)
set_apiversion = declare("rd_kafka_mock_set_apiversion", number, pointer, short, short, short)
topic_create = declare("rd_kafka_mock_topic_create", number, pointer, text, number, number)
set_leader = declare("rd_kafka_mock_partition_set_leader", number, pointer, text, C.c_int32, C.c_int32)
set_down = declare("rd_kafka_mock_broker_set_down", number, pointer, C.c_int32)
set_up = declare("rd_kafka_mock_broker_set_up", number, pointer, C.c_int32)
set_rtt = declare("rd_kafka_mock_broker_set_rtt", number, pointer, C.c_int32, number)
set_coordinator = declare("rd_kafka_mock_coordinator_set", number, pointer, text, text, C.c_int32)
push_errors = declare("rd_kafka_mock_push_request_errors_array", None, pointer, short, C.c_size_t, C.POINTER(number))

LIST_OFFSETS = 2

error = C.create_string_buffer(512)
rk = new(0, conf_new(), error, 512)
cluster = cluster_new(rk, int(sys.argv[1]))
# Of versions 4 and 5 the answers about several partitions are framed wrongly.
set_apiversion(cluster, LIST_OFFSETS, 0, 3)


def errors(api, *codes):
    push_errors(cluster, int(api), len(codes), (number * len(codes))(*map(int, codes)))
    return 0


COMMANDS = {
    "topic": lambda name, partitions: topic_create(cluster, name.encode(), int(partitions), 1),
    "leader": lambda name, partition, broker: set_leader(cluster, name.encode(), int(partition), int(broker)),
    "down": lambda broker: set_down(cluster, int(broker)),
    "up": lambda broker: set_up(cluster, int(broker)),
    "delay": lambda broker, ms: set_rtt(cluster, int(broker), int(ms)),
    "coordinator": lambda group, broker: set_coordinator(cluster, b"group", group.encode(), int(broker)),
    "errors": errors,
}

print(bootstraps(cluster).decode(), flush=True)
for line in sys.stdin:
    command, *arguments = line.split()
    print(COMMANDS[command](*arguments), flush=True)
