/** Two load balancers that are DNS servers too, three control planes, two workers and a router between two segments. */
export const scriptedInventory = `apiVersion: kbs/v1
cluster: scripted
kubernetes: { version: 1.36.3 }
network:
  pods: 10.244.0.0/16
  services: 10.254.0.0/16
  segments:
    office: { cidr: 192.168.40.0/24, gateway: 192.168.40.1 }
    rack: { cidr: 192.168.50.0/24, gateway: 192.168.50.1 }
endpoint: { name: api.scripted.internal, vip: 192.168.40.5 }
dns: { zone: scripted.internal, upstreams: [192.168.40.1] }
artifacts: { source: bundle, bundle: ./bundle }
hosts:
  lb-0: { address: 192.168.40.3, roles: [load-balancer, dns] }
  lb-1: { address: 192.168.40.4, roles: [load-balancer, dns] }
  cp-0: { address: 192.168.40.10, roles: [control-plane] }
  cp-1: { address: 192.168.40.11, roles: [control-plane] }
  cp-2: { address: 192.168.50.10, roles: [control-plane] }
  w-0: { address: 192.168.40.74, roles: [worker] }
  w-1: { address: 192.168.50.20, roles: [worker] }
  edge: { roles: [router], address: 192.168.40.1, addresses: { office: 192.168.40.1, rack: 192.168.50.1 } }
`;

/** One load balancer, three control planes and a worker in one segment. */
export const smallInventory = `apiVersion: kbs/v1
cluster: scripted
kubernetes: { version: 1.36.3 }
network:
  pods: 10.244.0.0/16
  services: 10.254.0.0/16
  segments:
    lan: { cidr: 192.168.40.0/24, gateway: 192.168.40.1 }
artifacts: { source: bundle, bundle: ./bundle }
hosts:
  lb-0: { address: 192.168.40.3, roles: [load-balancer] }
  cp-0: { address: 192.168.40.10, roles: [control-plane] }
  cp-1: { address: 192.168.40.11, roles: [control-plane] }
  cp-2: { address: 192.168.40.12, roles: [control-plane] }
  w-0: { address: 192.168.40.20, roles: [worker] }
`;
