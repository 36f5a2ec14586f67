/* pcaploop -- the yardstick of ./dev bench: libpcap's default file reader, counting packets and bytes. */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE];
	unsigned long long packets = 0, bytes = 0;
	pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
	if (!p) {
		fprintf(stderr, "usage: pcaploop CAPTURE\n");
		return 2;
	}
	struct pcap_pkthdr *h;
	const u_char *data;
	while (pcap_next_ex(p, &h, &data) == 1) {
		packets++;
		bytes += h->caplen;
	}
	pcap_close(p);
	printf("%llu packets, %llu bytes\n", packets, bytes);
	return 0;
}
