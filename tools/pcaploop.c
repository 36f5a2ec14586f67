/* pcaploop -- the yardstick of ./dev bench: libpcap's file reader, counting packets and bytes. With a size: through
 * a stdio buffer of so many bytes, which is the best that a caller of libpcap can do. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE];
	unsigned long long packets = 0, bytes = 0;
	pcap_t *p = NULL;
	FILE *f;
	if (argc == 2)
		p = pcap_open_offline(argv[1], why);
	else if (argc == 3 && (f = fopen(argv[1], "rb"))) {
		(void)setvbuf(f, NULL, _IOFBF, strtoul(argv[2], NULL, 10));
		p = pcap_fopen_offline(f, why);
	}
	if (!p) {
		fprintf(stderr, "usage: pcaploop CAPTURE [BUFFER_BYTES]\n");
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
